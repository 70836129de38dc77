// Command fairlead keeps a Skupper network as described in git.
package main

import (
	"os"
	"runtime/debug"

	"fairlead.dev/fairlead/cmd/internal/cli"
)

func main() {
	// A run is short and reads much: collecting less often is worth the memory.
	debug.SetGCPercent(400)
	os.Exit(cli.Main(os.Args[1:], cli.OS()))
}
