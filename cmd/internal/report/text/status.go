package text

import (
	"strconv"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
)

var conditionColors = map[status.Condition]color{
	status.ConditionReady: green, status.ConditionConfigured: yellow, status.ConditionPending: yellow,
	status.ConditionMissing: red, status.ConditionUnknown: red,
}

func (p *printer) status(s status.Status) {
	p.line("%s", p.paint(bold, "Network "+s.Network))
	p.gap()
	p.unread(s.Clusters)
	p.siteTable(s.Sites)
	p.gap()
	p.linkTable(s.Links)
	var unmanaged []string
	for _, u := range s.Unmanaged {
		unmanaged = append(unmanaged, u.String())
	}
	p.unmanaged(unmanaged)
}

func (p *printer) siteTable(sites []status.Site) {
	if len(sites) == 0 {
		p.line("No sites.")
		return
	}
	var rows [][]cell
	for _, s := range sites {
		rows = append(rows, []cell{
			{string(s.Name), ""}, {string(s.Cluster) + "/" + s.Namespace, ""},
			{string(s.State), conditionColors[s.State]}, {yesNo(s.Listens, "listens"), ""},
			{s.Version, ""}, {strconv.Itoa(s.SitesInNetwork), ""}, {withOrigin(s.Reason, s.Declared), dim},
		})
	}
	p.table([]string{"SITE", "CLUSTER/NAMESPACE", "STATE", "ACCESS", "SKUPPER", "SEES", "REASON"}, rows)
}

func (p *printer) linkTable(links []status.Link) {
	if len(links) == 0 {
		p.line("No links.")
		return
	}
	var rows [][]cell
	for _, l := range links {
		rows = append(rows, []cell{
			{linkName(l), ""}, {string(l.From), ""}, {string(l.To), ""}, {strconv.Itoa(int(l.Cost)), ""},
			{string(l.State), conditionColors[l.State]}, {l.RemoteSite, ""}, {way(l), ""}, {day(l.Expires), ""},
			{withOrigin(l.Reason, l.Declared), dim},
		})
	}
	p.table([]string{"LINK", "FROM", "TO", "COST", "STATE", "REMOTE SITE", "VIA", "EXPIRES", "REASON"}, rows)
}

// linkName is the link's name, with its object's where that is another.
func linkName(l status.Link) string {
	if l.Object == "" || l.Object == string(l.Name) {
		return string(l.Name)
	}
	return string(l.Name) + " (" + l.Object + ")"
}

// way is how a link gets there: the kind of its credentials, and its proxy.
func way(l status.Link) string {
	if l.Proxy == "" {
		return string(l.Via)
	}
	return string(l.Via) + ", proxy " + string(l.Proxy)
}

// day is the date of a time in RFC 3339.
func day(at string) string {
	date, _, _ := strings.Cut(at, "T")
	return date
}

func yesNo(b bool, yes string) string {
	if b {
		return yes
	}
	return "-"
}

func withOrigin(reason string, declared bool) string {
	switch {
	case declared:
		return reason
	case reason == "":
		return "no longer in the description"
	}
	return "no longer in the description; " + reason
}

func (p *printer) findings(f report.Findings) {
	for _, d := range f.List {
		c := red
		if d.Severity == diag.Warning {
			c = yellow
		}
		p.line("%s%s %s", position(d), p.paint(c, string(d.Severity)+":"), report.About(d))
		if d.Fix != "" {
			p.line("    %s", d.Fix)
		}
	}
	errs, warnings := f.List.Count(diag.Error), f.List.Count(diag.Warning)
	if errs > 0 {
		p.line("%s", p.paint(red, "Invalid: "+words.CountOrNone(errs, "error")+", "+words.CountOrNone(warnings, "warning")+"."))
		return
	}
	p.line("%s %s and %s in network %s, %s.", p.paint(green, "Valid:"),
		words.CountOrNone(f.Sites, "site"), words.CountOrNone(f.Links, "link"), f.Network, words.CountOrNone(warnings, "warning"))
}

func position(d diag.Finding) string {
	if at := d.At.String(); at != "" {
		return at + ": "
	}
	return ""
}
