package plan

import (
	"strings"
)

// siteDisruption gives the worst class among changed fields of a living Site.
// Link access that was on moves or closes endpoints; edge, issuer, account and settings
// restart the router.
func siteDisruption(fields []Field) Disruption {
	worst := DisruptionNone
	for _, f := range fields {
		switch {
		case f.Path == "linkAccess" && !isZero(f.From):
			worst = DisruptionReconnect
		case f.Path == "edge", f.Path == "serviceAccount", f.Path == "defaultIssuer",
			strings.HasPrefix(f.Path, "settings."):
			return DisruptionRestart
		}
	}
	return worst
}
