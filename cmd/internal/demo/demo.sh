#!/usr/bin/env bash
# A walk through Fairlead on two real Kubernetes API servers on this machine.
# It needs bin/fairlead and bin/sandbox (make demo builds both), leaves nothing
# behind, and ends with exit code 0 only if every step did what it says.
set -euo pipefail
cd "$(dirname "$0")/../../.."

bin=$PWD/bin
work=$(mktemp -d)
dir=$work/sandbox

cleanup() {
	"$bin/sandbox" down --dir "$dir" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' off=$'\e[0m'; else bold='' off=''; fi
number=0
title() { number=$((number + 1)); printf '\n%s%d. %s%s\n\n' "$bold" "$number" "$1" "$off"; }
say() { printf '%s\n' "$*"; }

# run COMMAND...: shows the command as a person would type it, then runs it.
run() { printf '\n    $ %s\n\n' "$*"; "$@" 2>&1 | sed 's/^/    /'; }

# expect CODE COMMAND...: run, and end the demo unless it exits with CODE.
expect() {
	local want=$1 code=0
	shift
	run "$@" || code=$?
	[ "$code" -eq "$want" ] || { say "expected exit code $want, got $code"; exit 1; }
}

# commit MESSAGE: what a merged pull request would leave in git.
commit() {
	git add -A
	git -c user.name=demo -c user.email=demo@example.com commit -qm "$1"
}

fairlead() { "$bin/fairlead" "$@"; }
sandbox() { "$bin/sandbox" "$@"; }

say "Skupper joins applications that run on different Kubernetes clusters. Each place"
say "where they run is a site; sites are joined by links. Fairlead keeps the sites and"
say "links as a description in git says, and carries the credentials by itself."

title "Two clusters"
say "First, two real Kubernetes API servers on this machine. Skupper's controller is"
say "played by a stand-in, so that no container is needed."
expect 0 sandbox up --clusters 2 --dir "$dir"
export KUBECONFIG=$dir/kubeconfig

title "The description"
say "A network in git: one hub that accepts links, and two sites that connect to it,"
say "one of them on the other cluster."
mkdir "$work/network"
cp fixtures/hello/hello.cue "$work/network/"
cd "$work/network"
git init -q -b main .
commit "describe the network"
expect 0 cat hello.cue

title "Is it valid?"
say "vet checks the description alone and never touches a cluster."
expect 0 fairlead vet
say ""
say "A mistake is reported with its place and what to do:"
sed 's/to: "hello-hub"}/to: "hello-hud"}/' hello.cue >"$work/mistake" && mv "$work/mistake" hello.cue
expect 3 fairlead vet
git checkout -q hello.cue

title "What would happen?"
say "plan compares the description with the clusters. Nothing is written."
expect 0 fairlead plan

title "Make it so"
say "apply creates the sites, then for each link a grant on the hub and a token on the"
say "connecting site, waits until the link carries traffic, and removes both again."
expect 0 fairlead apply --yes

title "How is it?"
expect 0 fairlead status

title "Apply again"
say "Everything is as described, so a second apply writes nothing."
expect 0 fairlead apply --yes

title "Someone edits a cluster by hand"
say "A link's cost is changed behind git's back. drift finds it and exits with 2."
expect 0 sandbox patch --dir "$dir" --context sandbox-2 links hello-west/hello-west-hub '{"spec":{"cost":42}}'
expect 2 fairlead drift

title "Heal"
say "apply brings the cluster back to what git says: one small change, no new link."
expect 0 fairlead apply --yes
expect 0 fairlead drift

title "Change what cannot change in place"
say "A pull request lets hello-west link by certificate, which needs no grant server. The"
say "new link comes up under a new name before the old one goes."
sed 's/from: "hello-west", to: "hello-hub"/&, via: "certificate"/' hello.cue >"$work/rekeyed" && mv "$work/rekeyed" hello.cue
commit "hello-west: link by certificate"
expect 2 fairlead plan --detailed-exitcode
expect 0 fairlead apply --yes
expect 0 fairlead status

title "Remove what the description no longer has"
say "A pull request removes the site hello-west and its link. It is the last site of its"
say "cluster, so the plan is refused until somebody says that this is meant: the flag"
say "that the plan shows holds for this plan alone."
grep -v hello-west hello.cue >"$work/smaller" && mv "$work/smaller" hello.cue
commit "remove hello-west"
expect 6 fairlead plan
allow=$(fairlead plan | grep -o -- '--allow [^ ]*' || true)
# shellcheck disable=SC2086 # the flag and its value are two words
expect 0 fairlead apply --yes $allow
expect 0 fairlead status

title "Clean up"
say "The clusters are stopped and their data is removed."
cleanup
say ""
say "That was Fairlead: describe, vet, plan, apply, watch for drift. Next: README.md."
