package syntax

import "strings"

// longestName bounds, in bytes, what is taken for a parameter's name in errors and searched for in the table.
const longestName = 20

// unknown is the error for an item whose name is not in the table. It names what is near, or what there is.
func unknown(text, name string, pos int) *Error {
	if strange, at := strangeness(text); strange != "" {
		return &Error{Pos: pos + at, Msg: strange}
	}
	err := &Error{Pos: pos, Param: name, Msg: "unknown parameter"}
	if name == "" || len(name) > longestName {
		err = &Error{Pos: pos, Msg: "unknown parameter " + quote(name)}
	}
	if isEffect(name) {
		err.Msg = strings.Replace(err.Msg, "parameter", "effect", 1)
	}
	if near := nearest(name); len(near) > 0 {
		err.Msg += "; did you mean " + strings.Join(near, " or ") + "?"
	} else {
		err.Msg += "; there are " + strings.Join(supported(isEffect(name)), ", ")
	}
	return err
}

// nearest returns the supported parameters that name may be a slip for: the long name of the SDKs, a hyphen forgotten
// ("w300"), or one letter off.
func nearest(name string) []string {
	if len(name) > longestName {
		return nil
	}
	name = strings.ToLower(name)
	var near []string
	for _, p := range table {
		switch {
		case p.Missing != "":
		case name == strings.ToLower(p.SDK) || strings.TrimRight(name, "0123456789.") == p.Name:
			return []string{p.Name}
		case len(near) < 3 && (oneOff(name, p.Name) || oneOff(name, strings.ToLower(p.SDK))):
			near = append(near, p.Name)
		}
	}
	return near
}

// supported returns the names of what works, or of the effects among it.
func supported(effects bool) []string {
	var names []string
	for _, p := range table {
		if p.Missing == "" && (!effects || isEffect(p.Name)) {
			names = append(names, p.Name)
		}
	}
	return names
}

// oneOff reports whether a becomes b by one letter added, dropped or changed, or by swapping two neighbours. Of names of
// one letter, which are near everything, only the first letter of a is near.
func oneOff(a, b string) bool {
	if len(b) == 1 {
		return len(a) == 2 && a[0] == b[0]
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	a, b = a[i:], b[i:]
	switch len(a) - len(b) {
	case -1:
		return a == b[1:]
	case 1:
		return a[1:] == b
	case 0:
		if len(a) >= 2 && a[0] == b[1] && a[1] == b[0] && a[2:] == b[2:] {
			return true
		}
		return a != "" && a[1:] == b[1:]
	}
	return false
}
