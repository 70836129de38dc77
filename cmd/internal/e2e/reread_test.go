package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// bendReport lets the world's commands read the routers' report of a site otherwise than
// it is; without text it is missing. The controllers read it as it is.
func (w *world) bendReport(cluster int, site string, bent func(report string) string) {
	at := "/namespaces/" + w.ns(site) + "/configmaps"
	w.bendBy(func(v *wires) {
		v.reread = func(from int, r *http.Request) func(o map[string]any) {
			if from != cluster || !strings.HasSuffix(r.URL.Path, at) || !strings.Contains(r.URL.RawQuery, routersReport) {
				return nil
			}
			return func(o map[string]any) {
				if text, there, _ := unstructured.NestedString(o, "data", "NetworkStatus"); there && bent(text) != "" {
					_ = unstructured.SetNestedField(o, bent(text), "data", "NetworkStatus")
				} else {
					unstructured.RemoveNestedField(o, "data")
				}
			}
		}
	})
}

// rereading gives what an answer's objects have to pass through, nil for nothing.
func (w *wires) rereading(cluster int, r *http.Request) func(o map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reread == nil || r.Method != http.MethodGet {
		return nil
	}
	change := w.reread(cluster, r)
	if change != nil {
		r.Header.Del("Accept-Encoding") // it is read on the way
	}
	return change
}

// reread lets the objects of an answer pass through a change. Each line of it is a list, or
// an event of a watch.
func reread(resp *http.Response, change func(o map[string]any)) {
	if change == nil {
		return
	}
	resp.ContentLength = -1
	resp.Header.Del("Content-Length")
	resp.Body = &changedLines{Closer: resp.Body, lines: bufio.NewReader(resp.Body), change: change}
}

// changedLines reads a body line by line.
type changedLines struct {
	io.Closer
	lines  *bufio.Reader
	change func(o map[string]any)
	left   bytes.Buffer
}

func (c *changedLines) Read(p []byte) (int, error) {
	if c.left.Len() == 0 {
		line, err := c.lines.ReadBytes('\n')
		if len(line) == 0 {
			return 0, err
		}
		c.left.Write(changedLine(line, c.change))
	}
	return c.left.Read(p)
}

func changedLine(line []byte, change func(o map[string]any)) []byte {
	var answer map[string]any
	if err := json.Unmarshal(line, &answer); err != nil {
		return line
	}
	items, _ := answer["items"].([]any)
	for _, item := range append(items, answer["object"]) {
		if o, ok := item.(map[string]any); ok {
			change(o)
		}
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return line
	}
	return append(out, '\n')
}
