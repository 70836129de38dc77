// Package text lays reports out for people at a terminal, with colours or without.
package text

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"fairlead.dev/fairlead/cmd/internal/report"
)

// Write writes a report; color says whether with colours.
func Write(w io.Writer, r report.Report, color bool) error {
	p := &printer{paint: palette(color)}
	switch d, ok := report.DocumentOf(r); {
	case r.Findings != nil:
		p.findings(*r.Findings)
	case ok && d.Drift:
		planned{p}.drift(d)
	case ok:
		planned{p}.plan(d)
	case r.Simulation != nil:
		p.simulation(*r.Simulation)
	case r.Failures != nil:
		p.failures(*r.Failures)
	case r.Status != nil:
		p.status(*r.Status)
	case r.Applied != nil:
		p.applied(*r.Applied)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// printer gathers text; painting is a function, so that plain output has no
// escape in it.
type printer struct {
	buf   bytes.Buffer
	paint func(color, string) string
}

type color string

const (
	green  color = "32"
	yellow color = "33"
	red    color = "31"
	cyan   color = "36"
	dim    color = "2"
	bold   color = "1"
)

func palette(on bool) func(color, string) string {
	if !on {
		return func(_ color, s string) string { return s }
	}
	return func(c color, s string) string {
		if s == "" {
			return s
		}
		return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
	}
}

func (p *printer) title(text string) {
	p.gap()
	p.line("%s", p.paint(bold, text))
}

func (p *printer) line(format string, args ...any) {
	p.buf.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// gap sets what follows apart by one empty line, never two.
func (p *printer) gap() {
	if text := p.buf.Bytes(); len(text) > 0 && !bytes.HasSuffix(text, []byte("\n\n")) {
		p.buf.WriteByte('\n')
	}
}

// cell is a table cell; its color does not count for its width.
type cell struct {
	text  string
	color color
}

// table prints rows in columns as wide as their widest cell.
func (p *printer) table(header []string, rows [][]cell) {
	all := [][]cell{make([]cell, len(header))}
	for i, h := range header {
		all[0][i] = cell{h, bold}
	}
	all = append(all, rows...)
	widths := make([]int, len(header))
	for _, row := range all {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	for _, row := range all {
		var b strings.Builder
		for i, c := range row {
			text := c.text
			if c.color != "" {
				text = p.paint(c.color, text)
			}
			b.WriteString(text)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)+2))
			}
		}
		p.buf.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
}
