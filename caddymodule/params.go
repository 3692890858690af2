package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// paramsCommand returns `caddy imageorigin params`.
func paramsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "params [--json] [<name>]",
		Short: "Lists the parameters of transformations",
		Long: `
Prints the parameters that transformations in URLs are made of: their short
names, the names that the SDKs give them, what is accepted, what holds without
them, and the section of the description of the URL language. Those that this
version refuses come last, with the reason.

With a name, short or of the SDKs, everything about that parameter is printed.`,
		Example: "  caddy imageorigin params w",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
				if err := printParameters(os.Stdout, args, flags.Bool("json")); err != nil {
					return caddy.ExitCodeFailedStartup, err
				}
				return caddy.ExitCodeSuccess, nil
			})(cmd, args)
		},
	}
	cmd.Flags().BoolP("json", "j", false, "Print JSON")
	return cmd
}

// printParameters prints the table, or the parameter that names has.
func printParameters(w io.Writer, names []string, asJSON bool) error {
	all := syntax.Parameters()
	if len(names) == 0 {
		if asJSON {
			return printJSON(w, parameterObjects(all))
		}
		return printTable(w, all)
	}
	p, err := findParameter(all, names[0])
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, parameterObjects([]syntax.Parameter{p})[0])
	}
	return printParameter(w, p)
}

// findParameter returns the parameter with that name, short or of the SDKs; a value behind the short one is ignored.
func findParameter(all []syntax.Parameter, name string) (syntax.Parameter, error) {
	for _, matches := range []func(syntax.Parameter) bool{
		func(p syntax.Parameter) bool { return name == p.Name },
		func(p syntax.Parameter) bool { return strings.HasPrefix(name, p.Name+"-") },
		func(p syntax.Parameter) bool { return p.SDK != "" && strings.EqualFold(name, p.SDK) },
	} {
		if i := slices.IndexFunc(all, matches); i >= 0 {
			return all[i], nil
		}
	}
	// The parser knows what is near.
	short, value, _ := strings.Cut(name, "-")
	if short == "e" {
		short, _, _ = strings.Cut(value, "-")
		short = "e-" + short
	}
	if _, err := syntax.Parse(short + "-"); err != nil {
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			e.Pos = -1
		}
		return syntax.Parameter{}, err
	}
	return syntax.Parameter{}, fmt.Errorf("%s is not the name of a parameter", name)
}

// parameterObject is a parameter in JSON.
type parameterObject struct {
	Name    string `json:"name"`
	SDK     string `json:"sdk,omitempty"`
	Value   string `json:"value,omitempty"`
	Default string `json:"default,omitempty"`
	Section string `json:"section"`
	Summary string `json:"summary,omitempty"`
	Refused string `json:"refused,omitempty"`
	Example string `json:"example,omitempty"`
}

func parameterObjects(list []syntax.Parameter) []parameterObject {
	objects := make([]parameterObject, len(list))
	for i, p := range list {
		objects[i] = parameterObject{
			Name: p.Name, SDK: sdkName(p), Value: p.Grammar, Default: p.Default, Section: p.Section, Summary: p.Summary, Refused: p.Missing,
			Example: p.Example,
		}
	}
	return objects
}

// sdkName returns the name in the SDKs, "" where they have none: the table writes a hyphen for some of those.
func sdkName(p syntax.Parameter) string { return strings.Trim(p.SDK, "-") }

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printTable prints what works, then what is refused.
func printTable(w io.Writer, all []syntax.Parameter) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	refusals := false
	fmt.Fprint(columns, "NAME\tSDK\tSECTION\tDEFAULT\tVALUE\n")
	for _, p := range all {
		if p.Missing == "" {
			fmt.Fprintf(columns, "%s\t%s\t%s\t%s\t%s\n", p.Name, dash(sdkName(p)), p.Section, p.Default, p.Grammar)
			continue
		}
		if !refusals {
			refusals = true
			fmt.Fprint(columns, "\nREFUSED\tSDK\tSECTION\tWHY\n") // the empty line ends the columns
		}
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\n", p.Name, dash(sdkName(p)), p.Section, p.Missing)
	}
	return columns.Flush()
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// printParameter prints everything about one parameter.
func printParameter(w io.Writer, p syntax.Parameter) error {
	var r sheet
	r.line("name", p.Name)
	r.line("sdk", sdkName(p))
	r.line("what", p.Summary)
	r.line("value", p.Grammar)
	r.line("default", p.Default)
	r.line("example", p.Example)
	r.line("section", p.Section)
	r.line("refused", p.Missing)
	_, err := io.WriteString(w, r.String())
	return err
}
