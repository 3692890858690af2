package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

// purgeCommand returns `caddy imageorigin purge`.
func purgeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "purge [--address <admin>] [--config <file>] [--adapter <name>] [--endpoint <name> | --tag <tag>... | --everything | <url or path>...]",
		Short: "Makes a running server forget pictures and files",
		Long: `
Makes the running server forget what its caches hold, so that it fetches and
transforms anew:

  a URL                        the original, and all that was made of it
  a URL with a transformation  that variant
  a URL that ends in "*"       all files whose path begins so
  --endpoint                   all of an endpoint
  --tag                        all whose origin gave them this Cache-Tag
  --everything                 all

URLs are those that visitors use. A path alone, such as /red.jpg, is one on a
host that is bound to no endpoint. Quote the "*": shells replace it.

The server is asked through Caddy's admin API, at --address, else at what the
file of --config says, else at localhost:2019. The exit status is 0 if it was
done.`,
		Example: "  caddy imageorigin purge https://images.example.com/shoes/red.jpg 'https://images.example.com/hats/*'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
				return runPurge(flags, args)
			})(cmd, args)
		},
	}
	addAdminFlags(cmd)
	cmd.Flags().StringP("endpoint", "e", "", "Name of an endpoint")
	cmd.Flags().StringArrayP("tag", "t", nil, "Cache-Tag of an origin; repeat for more")
	cmd.Flags().Bool("everything", false, "All that is remembered")
	return cmd
}

// statusCommand returns `caddy imageorigin status`.
func statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status [--address <admin>] [--config <file>] [--adapter <name>] [--json]",
		Short: "Says how full the caches of a running server are",
		Long: `
Prints a line about each cache of the running server, and one about each
endpoint: its origins, and the caches that it remembers in.

The server is asked through Caddy's admin API, at --address, else at what the
file of --config says, else at localhost:2019.`,
		Example: "  caddy imageorigin status",
		Args:    cobra.NoArgs,
		RunE:    caddycmd.WrapCommandFuncForCobra(runStatus),
	}
	addAdminFlags(cmd)
	cmd.Flags().Bool("json", false, "Print JSON")
	return cmd
}

func addAdminFlags(cmd *cobra.Command) {
	cmd.Flags().String("address", "", "Address of the admin API")
	cmd.Flags().StringP("config", "c", "", "Configuration file that says the address")
	cmd.Flags().StringP("adapter", "a", "", "Name of the config adapter, where the file's name doesn't say it")
}

func runPurge(flags caddycmd.Flags, urls []string) (int, error) {
	tags, err := flags.GetStringArray("tag")
	if err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("reading --tag: %w", err)
	}
	body := purgeBody{URLs: urls, Endpoint: flags.String("endpoint"), Tags: tags, Everything: flags.Bool("everything")}
	if err := body.chosen(); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	admin, err := adminOf(flags)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if err := admin.purge(os.Stdout, body); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	return caddy.ExitCodeSuccess, nil
}

// chosen says what is wrong with the choice of flags and arguments.
func (b *purgeBody) chosen() error {
	n := 0
	for _, set := range []bool{len(b.URLs) > 0, b.Endpoint != "", len(b.Tags) > 0, b.Everything} {
		if set {
			n++
		}
	}
	switch {
	case n == 0:
		return errors.New("nothing is named; give URLs, --endpoint, --tag or --everything")
	case n > 1:
		return errors.New("URLs, --endpoint, --tag and --everything exclude each other; run the command once for each")
	}
	return nil
}

func runStatus(flags caddycmd.Flags) (int, error) {
	admin, err := adminOf(flags)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if err := admin.status(os.Stdout, flags.Bool("json")); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	return caddy.ExitCodeSuccess, nil
}

// adminClient is the address of an admin API.
type adminClient string

// adminOf finds the admin API that the flags say.
func adminOf(flags caddycmd.Flags) (adminClient, error) {
	address, file, adapter := flags.String("address"), flags.String("config"), flags.String("adapter")
	if address != "" || file == "" {
		address, err := caddycmd.DetermineAdminAPIAddress(address, nil, "", "")
		return adminClient(address), err
	}
	raw, _, _, err := caddycmd.LoadConfig(file, adapter)
	if err != nil {
		return "", err
	}
	var config struct {
		Admin struct {
			Disabled bool `json:"disabled"`
		} `json:"admin"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return "", fmt.Errorf("decoding the config: %w", err)
	}
	if config.Admin.Disabled {
		return "", fmt.Errorf("%s turns the admin API off, through which a running server is asked; leave out `admin off`, or put it on a socket: admin unix//run/caddy.sock", file)
	}
	if address, err = caddycmd.DetermineAdminAPIAddress("", raw, file, adapter); err != nil {
		return "", fmt.Errorf("finding the address of the admin API: %w", err)
	}
	return adminClient(address), nil
}

// ask asks the admin API, and decodes its answer.
func (c adminClient) ask(method, path string, body, answer any) error {
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(raw)
	}
	resp, err := caddycmd.AdminAPIRequest(string(c), method, path, nil, sent)
	if err != nil {
		return c.explain(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the answer of the admin API at %s: %w", c, err)
	}
	return nil
}

// explain adds what to do about a request that failed. Caddy's errors are texts.
func (c adminClient) explain(err error) error {
	_, text, answered := strings.Cut(err.Error(), "caddy responded with error: HTTP ")
	if !answered {
		return fmt.Errorf("asking the admin API at %s: %w; is Caddy running there, with its admin API on? --address or --config name another address", c, err)
	}
	status, text, _ := strings.Cut(text, ": ")
	var told struct {
		Error string `json:"error"`
	}
	if json.Unmarshal([]byte(text), &told) == nil && told.Error != "" {
		return errors.New(told.Error)
	}
	if status == "404" {
		return fmt.Errorf("the Caddy at %s has no imageorigin, or one of a version without caches; --address or --config name another address", c)
	}
	return fmt.Errorf("asking the admin API at %s: %w", c, err)
}

// purge purges, and prints what was meant.
func (c adminClient) purge(out io.Writer, body purgeBody) error {
	var answer purgeAnswer
	if err := c.ask(http.MethodPost, adminPurge, body, &answer); err != nil {
		return err
	}
	for _, target := range answer.Targets {
		if _, err := fmt.Fprintln(out, target); err != nil {
			return err
		}
	}
	entries := "entries"
	if answer.Purged == 1 {
		entries = "entry"
	}
	_, err := fmt.Fprintf(out, "purged %d %s in %v\n", answer.Purged, entries, time.Duration(answer.TookMS)*time.Millisecond)
	return err
}

// status prints how full the caches are.
func (c adminClient) status(out io.Writer, asJSON bool) error {
	var answer Status
	if err := c.ask(http.MethodGet, adminStatus, nil, &answer); err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(answer)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CACHE\tENTRIES\tSIZE\tLIMIT\tEVICTED")
	for _, s := range answer.Caches {
		limit := "none"
		if s.Limit > 0 {
			limit = humanize.IBytes(uint64(s.Limit))
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%d\n", s.Name, s.Entries, humanize.IBytes(uint64(max(s.Bytes, 0))), limit, s.Evicted)
	}
	fmt.Fprintln(w, "\nENDPOINT\tORIGINS\tRESULTS\tORIGINALS\tFILES")
	for _, e := range answer.Endpoints {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.Name, strings.Join(e.Origins, " "), orNone(e.Results), orNone(e.Originals), orNone(e.Files))
	}
	if f := answer.DomainsFile; f != nil {
		fmt.Fprintf(w, "\nDOMAINS\tFILE\tERROR\n%d\t%s\t%s\n", f.Domains, f.Path, orNone(f.Error))
	}
	if now := answer.Admission; now != nil {
		fmt.Fprintf(w, "\nRUNNING\tWAITING\tMISSES\tSHED\n%d\t%d\t%d\t%d\n", now.Running, now.Waiting, now.Misses, now.Shed)
	}
	return w.Flush()
}

func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}
