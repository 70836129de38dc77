package network

import (
	"fmt"
	"slices"
	"strings"
)

// routerLogging is a setting that the controllers which are known read and get wrong: they
// take every valid level for invalid, yet it is in the digest that restarts the router's
// Deployment (seen on Skupper 2.2).
const routerLogging = "router-logging"

// usefulSettings are the other settings of a Site that Skupper's code reads. Its resource
// definition documents some that nothing reads, such as routerDataConnections.
var usefulSettings = []string{"router-data-connection-count", "size", "disable-anti-affinity", "tls-prior-valid-revisions"}

// OddSetting says what is wrong with a setting of a Site by its key, and what to do; ok is
// false for one that Skupper heeds.
func OddSetting(key string) (message, fix string, ok bool) {
	if slices.Contains(usefulSettings, key) {
		return "", "", false
	}
	if key == routerLogging {
		return fmt.Sprintf("the setting %q restarts the router and changes nothing: the controllers that are known take every level for invalid", key), "leave it out", true
	}
	message = fmt.Sprintf("nothing in Skupper reads the setting %q", key)
	switch near := nearSetting(key); near {
	case "":
		last := len(usefulSettings) - 1
		fix = fmt.Sprintf("leave it out; %s and %s are read", strings.Join(usefulSettings[:last], ", "), usefulSettings[last])
	case routerLogging:
		fix = fmt.Sprintf("leave it out: %q, which is read, restarts the router and changes nothing", near)
	default:
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	return message, fix, true
}

// nearSetting is the setting that was most likely meant, whatever its words are joined by.
func nearSetting(key string) string {
	joined := func(s string) string {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(s))
	}
	names := map[string]string{joined(routerLogging): routerLogging}
	for _, s := range usefulSettings {
		names[joined(s)] = s
	}
	candidates := make([]string, 0, len(names))
	for name := range names {
		candidates = append(candidates, name)
	}
	slices.Sort(candidates)
	return names[Closest(joined(key), candidates)]
}
