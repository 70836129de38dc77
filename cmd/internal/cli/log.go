package cli

import (
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// logFlags adds the flags of the log, which goes to standard error.
func (o *common) logFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.logLevel, "log-level", "warn", "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", "text", "format of the log: text or json")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log every request, never its content; the same as --log-level debug")
}

// startLog checks the flags of the log and opens it. Every record carries the id of
// the run.
func (o *common) startLog() error {
	var level slog.Level
	switch o.logLevel {
	case "debug", "info", "warn", "error":
		if err := level.UnmarshalText([]byte(strings.ToUpper(o.logLevel))); err != nil {
			return err
		}
	case "": // a command without the flags
		level = slog.LevelWarn
	default:
		return fail(exitInvalid, "--log-level %q is not known; use debug, info, warn or error", o.logLevel)
	}
	if o.verbose {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(o.sys.Err, options)
	switch o.logFormat {
	case "json":
		handler = slog.NewJSONHandler(o.sys.Err, options)
	case "text", "":
	default:
		return fail(exitInvalid, "--log-format %q is not known; use text or json", o.logFormat)
	}
	o.talks = level <= slog.LevelInfo
	o.log = slog.New(handler).With("run", o.invocation.ID)
	return nil
}

// phase logs, when what it gives is called, that a part of the command ended and how
// long it took.
func (o *common) phase(name string) (end func(attrs ...any)) {
	began := time.Now()
	return func(attrs ...any) {
		if o.log != nil {
			o.log.Info(name, append([]any{"durationMs", time.Since(began).Milliseconds()}, attrs...)...)
		}
	}
}
