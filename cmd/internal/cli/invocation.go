package cli

import (
	"cmp"
	"os"
	"os/user"
	"strings"
	"time"

	"crypto/rand"
)

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
