package e2e

import (
	"slices"
	"strings"
)

// readers are the commands that must not write to a cluster.
var readers = []string{"plan", "drift", "status", "vet", "render", "import", "rbac", "graph", "simulate"}

// onlyReads fails the test when a command of readers makes a request that could write.
// What it returns has to be called when the command has ended. Of commands that run
// side by side on the same wires nobody can tell whose request it was.
func (w *world) onlyReads(args []string) (ended func()) {
	wires := w.wires
	started, alone := wires.started.Add(1), wires.running.Add(1) == 1
	before := len(wires.requests())
	return func() {
		wires.running.Add(-1)
		if len(args) == 0 || !slices.Contains(readers, args[0]) || !alone || wires.started.Load() != started {
			return
		}
		for _, r := range wires.requests()[before:] {
			if r.isWrite() {
				w.t.Errorf("fairlead %s only reads, and sent %s %s", strings.Join(args, " "), r.Method, r.Path)
			}
		}
	}
}
