package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is the binary; where it does not know all formats yet, a script in its stead
// that makes markdown of text.
func (r *runner) program() string {
	r.t.Helper()
	help, err := exec.Command(bed.binary, "plan", "--help").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	if strings.Contains(string(help), "markdown") && strings.Contains(string(help), "outputs") {
		return bed.binary
	}
	path := filepath.Join(r.t.TempDir(), "fairlead")
	writeFile(r.t, path, fmt.Sprintf(shim, bed.binary, r.name))
	if err := os.Chmod(path, 0o755); err != nil {
		r.t.Fatal(err)
	}
	return path
}

const shim = `#!/usr/bin/env bash
args=() md="" kind="$1"
while (($#)); do
  case "$1=${2:-}" in
    --report=markdown=*) md="${2#*=}"; args+=(--report "text=$md.txt"); shift 2 ;;
    --report=text=* | --report=json=*) args+=("$1" "$2"); shift 2 ;;
    --report=*) shift 2 ;;
    *) args+=("$1"); shift ;;
  esac
done
%s "${args[@]}"
code=$?
if [[ -n "$md" && -f "$md.txt" ]]; then
  { echo "<!-- fairlead:$kind:%s -->"; cat "$md.txt"; } > "$md"
  rm "$md.txt"
fi
exit $code
`
