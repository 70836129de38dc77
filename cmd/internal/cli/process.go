package cli

import (
	"cmp"
	"crypto/rand"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// process is what surrounds a command: the system, who runs it, and the log, which goes to
// standard error.
type process struct {
	sys *System
	who invocation
	log *slog.Logger
	// talks tells that the log has more than warnings.
	talks               bool
	logLevel, logFormat string
	verbose             bool
}

// newProcess has a log that nobody reads, until start opens it.
func newProcess(sys *System) *process { return &process{sys: sys, log: slog.New(slog.DiscardHandler)} }

// logFlags adds the flags of the log.
func (p *process) logFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.logLevel, "log-level", "warn", "debug, info, warn or error")
	f.StringVar(&p.logFormat, "log-format", "text", "format of the log: text or json")
	f.BoolVarP(&p.verbose, "verbose", "v", false, "log every request, never its content; the same as --log-level debug")
}

// start finds out who runs the command and opens the log. Every record carries the id of the
// run.
func (p *process) start() error {
	p.who = newInvocation(p.sys)
	name, format := cmp.Or(p.logLevel, "warn"), cmp.Or(p.logFormat, "text")
	var level slog.Level
	err := cmp.Or(oneOf("--log-level", name, "debug", "info", "warn", "error"), oneOf("--log-format", format, "text", "json"))
	if err = cmp.Or(err, level.UnmarshalText([]byte(name))); err != nil {
		return err
	}
	if p.verbose {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(p.sys.Err, options)
	if format == "json" {
		handler = slog.NewJSONHandler(p.sys.Err, options)
	}
	p.talks = level <= slog.LevelInfo
	p.log = slog.New(handler).With("run", p.who.ID)
	return nil
}

// phase logs, when what it gives is called, that a part of the command ended and how
// long it took.
func (p *process) phase(name string) (end func(attrs ...any)) {
	began := time.Now()
	return func(attrs ...any) {
		p.log.Info(name, append([]any{"durationMs", time.Since(began).Milliseconds()}, attrs...)...)
	}
}

// invocation says who runs a command, for locks, events and the objects that it
// touches. It holds nothing secret.
type invocation struct {
	// ID is random, and new for each run: 26 characters of base32, in lower case.
	ID string
	// User and Host are those of the process; URL is the page of the CI job, empty
	// outside of one.
	User, Host, URL string
	Started         time.Time
}

func newInvocation(sys *System) invocation {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	name := sys.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return invocation{
		ID: strings.ToLower(rand.Text()), User: cmp.Or(name, "unknown"), Host: host, URL: runURL(sys.Getenv), Started: time.Now(),
	}
}

// runURL is the address of the CI job's page, from the variables that GitHub, GitLab
// and Jenkins set.
func runURL(getenv func(string) string) string {
	if server, repo, id := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), getenv("GITHUB_RUN_ID"); server != "" && id != "" {
		return server + "/" + repo + "/actions/runs/" + id
	}
	return cmp.Or(getenv("CI_JOB_URL"), getenv("BUILD_URL"))
}
