// Command fairlead keeps a Skupper network as described in git.
package main

import (
	"os"

	"fairlead.dev/fairlead/cmd/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.OS()))
}
