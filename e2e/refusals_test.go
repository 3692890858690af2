package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif" // for image.Decode
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/image/tiff"
)

// parameter is a row of `caddy imageorigin params --json`.
type parameter struct {
	Name    string `json:"name"`
	SDK     string `json:"sdk"`
	Value   string `json:"value"`
	Refused string `json:"refused"`
	Example string `json:"example"`
}

// parametersOf asks the binary for its table.
func parametersOf(t *testing.T) (works, refused []parameter) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), caddyBinary, "imageorigin", "params", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []parameter
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.Refused == "" {
			works = append(works, p)
		} else {
			refused = append(refused, p)
		}
	}
	if len(works) < 20 {
		t.Fatalf("the binary has %d parameters", len(works))
	}
	return works, refused
}

// isOf reports whether an item is one of the parameter.
func (p parameter) isOf(item string) bool {
	return item == p.Name || strings.HasPrefix(item, p.Name+"-")
}

// example returns the parameter's own item of its example, and the chain with a hole, %s, in that item's place.
func (p parameter) example() (item, around string) {
	steps := strings.Split(p.Example, ":")
	for i, step := range steps {
		items := strings.Split(step, ",")
		if at := slices.IndexFunc(items, p.isOf); at >= 0 {
			item, items[at] = items[at], "%s"
			steps[i] = strings.Join(items, ",")
			return item, strings.Join(steps, ":")
		}
	}
	return p.Name, "w-20,h-20,%s"
}

// hostile are values that most parameters refuse. Those with characters that no value of the language has are wrong
// for all but paths.
var hostile = []string{
	"", "-", "_", "--", "0", "-5", "N5", "NN5", "+5", " 5", "5 ", "5.", ".5", "5.5", "5.5.5", "5,5", "5..5", "5e3", "0x10", "1_000", "５", "٣",
	"5_", "_5", "5__5", "5--5", "5-", "5-5", "5_5", "5_5_5", "5_5_5_5_5", "5_red_", "5__red", "5_red_red", "5@@5", "@@", "..@@x", "0.0000001",
	"99999999", "65535", "65536", "4294967296", "18446744073709551617", strings.Repeat("9", 24), strings.Repeat("9", 300), "0." + strings.Repeat("0", 40) + "1",
	"banana", "BANANA", "true", "false", "TRUE", "auto", "none", "null", "undefined", "NaN", "Infinity", "Inf", "max", "red", "FF0000", "GG0000", "#FF0000", "FF0000FF", "FF000000000",
	"iw", "iw_div_0", "iw_div_0_red", "iw_red", "5_rgb", "iw_div", "iw__div_2", "iw_div_2_", "_iw_div_2", "iw_foo_2", "foo_div_2", "iw_div_2_div", "iw_sub_99999", "iw_mul_99999", "9_pow_9_pow_9_pow_9",
	"1_mod_0", "bw", "idu", strings.Repeat("iw_add_", 200) + "iw", strings.Repeat("1_", 1000),
	"\x00", "5\x00", "\x005", "5%00", "%", "%35", "5\n", "5\r\nX-Evil: 1", "\xff", "5\xc3", "é", "日本", "😀", "\u202e5", "<script>", "'", "\"", "\\", "(5)", "5;5", "5=5", "5&5", "5?5", "5#5", "*", "$", "{5}", "[5]", "5|5", "~", "`", "^",
}

// How ik-error tells place and parameter.
var (
	columnOf = regexp.MustCompile(`\(column (\d+)\)$`)
	namedIn  = regexp.MustCompile(`^(EINVAL|ELIMIT) - ([a-z0-9-]+): `)
)

// misplaced says what is wrong with the message of a 400 for chain: it must name a column and, unless the structure
// itself is broken there, the parameter that stands at it.
func misplaced(chain, message string) string {
	if !strings.HasPrefix(message, "EINVAL - ") && !strings.HasPrefix(message, "ELIMIT - ") {
		return "it begins with no code"
	}
	if ofAll(message) {
		return ""
	}
	column := columnOf.FindStringSubmatch(message)
	if column == nil {
		return "it names no column"
	}
	at, _ := strconv.Atoi(column[1])
	if at < 1 || at > len(chain)+1 {
		return fmt.Sprintf("column %d is not in the chain of %d bytes", at, len(chain))
	}
	name := namedIn.FindStringSubmatch(message)
	if name == nil {
		return unnamed(chain, at-1, message)
	}
	if item := itemAt(chain, at-1); !strings.HasPrefix(item, name[2]) {
		return fmt.Sprintf("at column %d is %q, not %s", at, item, name[2])
	}
	return ""
}

// ofAll reports whether a message is about the original or the whole chain, which no item is to blame for.
func ofAll(message string) bool {
	return strings.HasPrefix(message, "ELIMIT - ") && (strings.Contains(message, "(limit source_pixels)") || strings.Contains(message, "(limit steps)")) ||
		strings.Contains(message, "longer than 4096 bytes")
}

// unnamed says what is wrong with a message without a parameter: only an item without a name, an empty one, or a
// character that nothing can hold, may be told without one.
func unnamed(chain string, at int, message string) string {
	for _, allowed := range []string{
		"is empty", "unknown parameter", "unknown effect", "has no meaning here", "is not UTF-8", "if-end", "if-else", "if at column", "the condition", "must follow",
	} {
		if strings.Contains(message, allowed) {
			return ""
		}
	}
	return fmt.Sprintf("it names no parameter; at the column is %q", itemAt(chain, at))
}

// itemAt returns the item of the chain that byte at, or the separator at it, belongs to.
func itemAt(chain string, at int) string {
	at = min(at, len(chain))
	from := strings.LastIndexAny(chain[:at], ",:") + 1
	to := strings.IndexAny(chain[at:], ",:")
	if to < 0 {
		return chain[from:]
	}
	return chain[from : at+to]
}

// smallLimits keep what passes cheap: it is the refusals that these tests are about.
const smallLimits = "imageorigin {\n\tlimits {\n\t\toutput_pixels 1000000\n\t}\n}"

// thumbnail makes a still of what has pages. Only there pg has a meaning.
const thumbnail = "/ik-thumbnail.jpg"

// picture returns what the parameter's example can be done to.
func (p parameter) picture() string {
	if p.Name == "pg" {
		return "moving.gif" + thumbnail
	}
	return "still.jpg"
}

// refusalSite is a server with small pictures of each kind, and its parameters.
type refusalSite struct {
	base, dir string
	pictures  []string
	works     []parameter
	refused   []parameter
}

func newRefusalSite(t *testing.T) refusalSite {
	t.Helper()
	s := refusalSite{dir: t.TempDir(), pictures: []string{"still.jpg", "cutout.png", "moving.gif", "badge.svg", "still.webp", "still.tiff"}}
	for name, size := range map[string]size{"still.jpg": {640, 427}, "moving.gif": {96, 64}, "badge.svg": {158, 33}} {
		if err := writePicture(filepath.Join(s.dir, name), size.w, size.h); err != nil {
			t.Fatal(err)
		}
	}
	writePNG(t, filepath.Join(s.dir, "cutout.png"), cutout(320, 214))
	var buf bytes.Buffer
	if err := tiff.Encode(&buf, coded(160, 107), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "still.tiff"), buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	make := exec.CommandContext(t.Context(), caddyBinary, "imageorigin", "transform", filepath.Join(s.dir, "cutout.png"), "w-160", filepath.Join(s.dir, "still.webp"))
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.works, s.refused = parametersOf(t)
	s.base = serveWith(t, smallLimits, s.dir, "")
	return s
}

// address returns the URL of a picture with a chain in the path, or in the query.
func (s refusalSite) address(chain, picture string, inQuery bool) string {
	if inQuery {
		return s.base + "/" + picture + "?tr=" + url.QueryEscape(chain)
	}
	return s.base + "/tr:" + strings.ReplaceAll(url.PathEscape(chain), "/", "%2F") + "/" + picture
}

// try asks for a picture with a chain and reports whatever is neither a picture nor a 400 that says why and where.
func (s refusalSite) try(t *testing.T, chain, picture string, inQuery bool) answer {
	t.Helper()
	target := s.address(chain, picture, inQuery)
	got := ask(t, target)
	message := got.header.Get("Ik-Error")
	switch got.status {
	case http.StatusOK:
		if wrong := undecodable(got); wrong != "" {
			t.Errorf("%s\n%q of %s: 200, but %s", target, chain, picture, wrong)
		}
	case http.StatusBadRequest:
		if wrong := misplaced(chain, message); wrong != "" {
			t.Errorf("%s\n%q of %s: %s\n%s", target, chain, picture, message, wrong)
		}
	default:
		t.Errorf("%s\n%q of %s: got %d, ik-error %q; want 200 or 400", target, chain, picture, got.status, message)
	}
	return got
}

// undecodable says what is wrong with the picture of an answer; "" for nothing.
func undecodable(a answer) string {
	_, _, format, err := measure(a.body)
	kind := a.header.Get("Content-Type")
	switch {
	case bytes.HasPrefix(a.body, []byte("II*\x00")): // an original that was asked for
		format, err = "tiff", nil
	case err != nil:
		return err.Error()
	}
	if want := "image/" + strings.Replace(format, "svg", "svg+xml", 1); kind != want {
		return fmt.Sprintf("the Content-Type of a %s is %s", format, kind)
	}
	switch format {
	case "svg", "avif":
		return "" // Go reads neither; avif was measured
	case "webp":
		if len(a.body) > 20 && a.body[15] == 'X' && a.body[20]&2 != 0 {
			return "" // animated: measured
		}
	}
	if _, _, err := image.Decode(bytes.NewReader(a.body)); err != nil {
		return "the " + format + " can't be decoded: " + err.Error()
	}
	return ""
}

// TestOneBadValueIsRefusedByNameAndPlace gives each parameter values that are not its own, in a chain that is otherwise
// good: its example. Either the value is good after all, which `explain` confirms, or the answer is a 400 that names
// the parameter and the column.
func TestOneBadValueIsRefusedByNameAndPlace(t *testing.T) {
	s := newRefusalSite(t)
	values := slices.Clone(hostile)
	for _, p := range s.works {
		item, _ := p.example()
		if value := strings.TrimPrefix(strings.TrimPrefix(item, p.Name), "-"); value != "" && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	for _, p := range s.works {
		t.Run(p.Name, func(t *testing.T) {
			s.tryValues(t, p, values)
		})
	}
}

// tryValues asks for a picture with each of the values for p, and lets `explain` judge a few of those that pass.
func (s refusalSite) tryValues(t *testing.T, p parameter, values []string) {
	t.Helper()
	item, around := p.example()
	// The name of n-'s example is not in this site's configuration.
	good := s.address(strings.Replace(around, "%s", item, 1), p.picture(), false)
	if p.Example != "" && p.Name != "n" && ask(t, good).status != http.StatusOK {
		t.Errorf("%s: the example %s is not good", good, p.Example)
	}
	passed := 0
	for i, value := range values {
		chain := strings.Replace(around, "%s", p.Name+"-"+value, 1)
		got := s.try(t, chain, p.picture(), i%2 == 0)
		if got.status != http.StatusOK {
			continue
		}
		if passed++; passed <= 3 {
			s.confirm(t, chain, p.picture(), got)
		}
		if strings.Contains(value, "\x00") || !utf8.ValidString(value) {
			t.Errorf("%q passes", chain)
		}
	}
	for _, chain := range []string{
		strings.Replace(around, "%s", p.Name, 1),                             // without a value
		strings.Replace(around, "%s", item+","+item, 1),                      // twice
		strings.Replace(around, "%s", item+",,", 1),                          // an empty item
		strings.Replace(around, "%s", strings.ToUpper(item), 1),              // in capitals
		strings.Replace(around, "%s", strings.Replace(item, "-", "_", 1), 1), // with the wrong separator
		strings.Replace(around, "%s", " "+item, 1),                           // with a space
		strings.Replace(around, "%s", item+"\x00", 1),                        // cut short by C
		strings.Replace(around, "%s", "x"+item, 1),                           // of another name
	} {
		if got := s.try(t, chain, p.picture(), false); got.status == http.StatusOK {
			s.confirm(t, chain, p.picture(), got)
		}
	}
}

// confirm checks that `explain` accepts the chain for the picture too, and says the size that came.
func (s refusalSite) confirm(t *testing.T, chain, picture string, got answer) {
	t.Helper()
	if strings.Contains(chain, "orig-true") {
		return // sent unread
	}
	out, err := exec.CommandContext(t.Context(), caddyBinary, "imageorigin", "explain", "--file", filepath.Join(s.dir, strings.TrimSuffix(picture, thumbnail)),
		strings.TrimPrefix(s.address(chain, picture, true), s.base)).CombinedOutput()
	width, height, format, _ := measure(got.body)
	want := fmt.Sprintf(`result    %dx%d (\(\d+ frames\) )?%s\b`, width, height, format)
	if format == "svg" {
		want = "result    the original's bytes, "
	}
	if err != nil || !regexp.MustCompile(want).Match(out) {
		t.Errorf("%q: the server sent %dx%d %s; explain says, %v:\n%s", chain, width, height, format, err, out)
	}
}

// TestRefusedParametersAreRefusedWhereTheyStand asks for what the language has and this version has not.
func TestRefusedParametersAreRefusedWhereTheyStand(t *testing.T) {
	s := newRefusalSite(t)
	for _, p := range s.refused {
		for _, item := range []string{p.Name, p.Name + "-5", p.Name + "-image_5"} {
			chain := "w-20," + item + ",h-20"
			got := s.try(t, chain, "still.jpg", false)
			if got.status != http.StatusBadRequest {
				t.Errorf("%s: got %d, want 400", chain, got.status)
			}
		}
	}
}

const (
	mutationTime = 45 * time.Second // bounds TestOneSlipInARandomChainNeverBreaksTheServer
	confirmed    = 60               // of its pictures are held against what `explain` says
)

// TestOneSlipInARandomChainNeverBreaksTheServer makes chains of the parameters' examples, spoils one item, and asks for
// pictures of each kind with them.
func TestOneSlipInARandomChainNeverBreaksTheServer(t *testing.T) {
	s := newRefusalSite(t)
	var good []string // steps of examples
	for _, p := range s.works {
		for step := range strings.SplitSeq(p.Example, ":") {
			if step != "" && !strings.Contains(step, "if-") {
				good = append(good, step)
			}
		}
	}
	good = append(good, "w-90,h-60,cm-pad_resize,bg-red", "w-30,h-20,cm-extract,x-3,y-N2", "w-iw_div_2", "rt-45", "r-20,b-3_red", "bl-3,e-grayscale")
	seed := uint64(4)
	r := rand.New(rand.NewPCG(seed, seed))
	counts := map[int]int{}
	until := time.Now().Add(mutationTime)
	for i := 0; i < 2000 && time.Now().Before(until); i++ {
		chain := slip(r, good)
		picture := s.pictures[i%len(s.pictures)]
		got := s.try(t, chain, picture, i%3 == 0)
		if counts[got.status]++; got.status == http.StatusOK && counts[http.StatusOK] <= confirmed {
			s.confirm(t, chain, picture, got)
		}
	}
	t.Logf("seed %d, statuses %v", seed, counts)
	if counts[http.StatusOK] < 20 || counts[http.StatusBadRequest] < 200 {
		t.Errorf("statuses %v: too few to mean something", counts)
	}
}

// slip returns a chain of one to three of the steps, in which one item was mistyped.
func slip(r *rand.Rand, steps []string) string {
	var items []string
	var separators []string
	for range 1 + r.IntN(3) {
		for j, item := range strings.Split(steps[r.IntN(len(steps))], ",") {
			separator := ","
			if j == 0 {
				separator = ":"
			}
			items, separators = append(items, item), append(separators, separator)
		}
	}
	at := r.IntN(len(items))
	items[at] = mistype(r, items[at])
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(separators[i])
		}
		b.WriteString(item)
	}
	return b.String()
}

// mistype changes one thing in an item.
func mistype(r *rand.Rand, item string) string {
	letters := []rune("0123456789-_.NaxwFz% \x00é,:@'+")
	at := r.IntN(len(item) + 1)
	letter := string(letters[r.IntN(len(letters))])
	switch r.IntN(6) {
	case 0: // one letter more
		return item[:at] + letter + item[at:]
	case 1: // one less
		if at == len(item) {
			at--
		}
		return item[:at] + item[at+1:]
	case 2: // another one
		if at == len(item) {
			at--
		}
		return item[:at] + letter + item[at+1:]
	case 3: // the value doubled
		_, value, _ := strings.Cut(item, "-")
		return item + value
	case 4: // a hostile value
		name, _, _ := strings.Cut(item, "-")
		return name + "-" + hostile[r.IntN(len(hostile))]
	}
	return item[:at] // broken off
}

// TestMessagesWithoutTheRightPlaceAreFound holds the judge of the tests above to account.
func TestMessagesWithoutTheRightPlaceAreFound(t *testing.T) {
	const chain = "w-20,hh-3:rt-400"
	for message, wrong := range map[string]bool{
		"EINVAL - hh: unknown parameter (column 6)":                                  false,
		"EINVAL - rt: \"400\" is not accepted (column 13)":                           false,
		"EINVAL - an item is empty: nothing stands before (column 6)":                false,
		"ELIMIT - w: the result would be 9 x 9 (limit output_side) (column 1)":       false,
		"ELIMIT - the result would be 9 x 9; no more is allowed (limit output_side)": true,
		"EINVAL - hh: unknown parameter (column 1)":                                  true,
		"EINVAL - w: \"400\" is not accepted (column 13)":                            true,
		"EINVAL - rt: \"400\" is not accepted":                                       true,
		"EINVAL - rt: \"400\" is not accepted (column 99)":                           true,
		"EINVAL - something is wrong (column 6)":                                     true,
		"UNIDENTIFIED - the server failed; its log says why":                         true,
		"": true,
	} {
		if why := misplaced(chain, message); (why != "") != wrong {
			t.Errorf("%q: got %q, want a complaint: %v", message, why, wrong)
		}
	}
}
