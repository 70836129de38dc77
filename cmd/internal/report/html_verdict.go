package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/diag"
)

// headline is the one sentence that a page begins with.
type headline struct {
	// Level is danger, caution or fine; Sign says the same without colour.
	Level, Sign string
	Words, More string
}

var levelSigns = map[string]string{"danger": "✖", "caution": "!", "fine": "✔"}

// headlineOf judges a plan by the worst in it.
func headlineOf(r Report, p plan.Plan, drift bool) headline {
	var v headline
	if drift {
		v = driftHeadline(p)
	} else {
		v = planHeadline(r, p)
	}
	if list := unread(p.Clusters); len(list) > 0 {
		if v.Level == "fine" {
			v.Level = "caution"
		}
		v.More = strings.TrimSpace("What " + strings.Join(named(list), ", ") + " holds is unknown, and nothing there is planned. " + v.More)
	}
	v.Sign = levelSigns[v.Level]
	return v
}

func planHeadline(r Report, p plan.Plan) headline {
	lost := effectsOf(p, topology.High)
	refused := p.Refused()
	gone := deletions(p.Actions)
	switch {
	case len(refused) > 0:
		return headline{Level: "danger", Words: "Refused: " + plural(len(refused), "rule stands", "rules stand") + " against it", More: cmp.Or(lossWords(lost), takeWords(gone))}
	case len(lost) > 0:
		return headline{Level: "danger", Words: "Connections are lost", More: lossWords(lost)}
	case len(gone) > 0:
		return headline{Level: "caution", Words: "Takes away " + kindsIn(gone, allKinds, numberOf), More: keepWords(r, p)}
	case len(settings(p)) > 0 && len(p.Actions) == 0:
		return headline{Level: "caution", Words: "Changes the policy, or how clusters are reached", More: nothing(p)}
	case !p.Pending() && !wholly(p):
		return headline{Level: "caution", Words: strings.TrimSuffix(nothing(p), ".")}
	case !p.Pending():
		return headline{Level: "fine", Words: strings.TrimSuffix(nothing(p), ".")}
	case len(disturbed(p)) > 0:
		return headline{Level: "caution", Words: "Disturbs traffic briefly: " + strings.Join(disturbed(p), ", "), More: keepWords(r, p)}
	case len(effectsOf(p, topology.Medium)) > 0:
		return headline{Level: "caution", Words: "Changes which ways traffic takes", More: keepWords(r, p)}
	}
	if slices.ContainsFunc(p.Actions, linksAlone) {
		return headline{Level: "fine", Words: "Disturbs no links", More: keepWords(r, p)}
	}
	return headline{Level: "fine", Words: "Disturbs no traffic", More: keepWords(r, p)}
}

// lossWords sums up connections that are lost.
func lossWords(lost []plan.Effect) string {
	if len(lost) == 0 {
		return ""
	}
	text := lost[0].Message
	if len(lost) > 1 {
		text += fmt.Sprintf(", and %d more like it", len(lost)-1)
	}
	return text + "."
}

// takeWords sums up what is deleted.
func takeWords(gone []plan.Action) string {
	if len(gone) == 0 {
		return ""
	}
	return "It would take away " + kindsIn(gone, allKinds, numberOf) + "."
}

// keepWords says that no connection is lost, where the networks before and after are known.
func keepWords(r Report, p plan.Plan) string {
	if r.Before == nil || r.After == nil || len(r.Before.Sites) == 0 || p.Narrowed {
		return ""
	}
	return "No site that stays loses its last path to another."
}

func driftHeadline(p plan.Plan) headline {
	troubles, calm := len(liveOf(p, diag.Error)), "No drift"
	if !wholly(p) {
		calm = "No drift is known"
	}
	switch {
	case len(losing(p)) > 0:
		v := headline{Level: "danger", Words: "Cut off" + sinceWhat(p) + ": " + plural(len(losing(p)), "site", "sites"), More: lossWords(only(p.Topology.Effects, lost))}
		if len(p.Actions) > 0 && len(p.Refused()) == 0 {
			v.More += " To heal: fairlead apply."
		}
		return v
	case len(p.Actions) > 0:
		v := headline{Level: "caution", Words: "Drift: " + things(p.Actions) + " not as last applied"}
		if len(p.Refused()) == 0 {
			v.More = "To heal: fairlead apply."
		}
		if troubles > 0 {
			v.Level, v.More = "danger", strings.TrimSpace(v.More+" Beside it, "+count(troubles, "trouble")+" in how the network runs.")
		}
		return v
	case len(p.Refused()) > 0:
		n := len(p.Refused())
		return headline{Level: "danger", Words: plural(n, "thing stands", "things stand") + " in the way of an apply", More: p.Refused()[0].Subject + " " + p.Refused()[0].Message + "."}
	case troubles > 0:
		return headline{Level: "danger", Words: calm + ", but " + count(troubles, "trouble") + " in how the network runs"}
	case !wholly(p):
		return headline{Level: "caution", Words: notCompared(p)}
	case len(p.Live) > 0:
		return headline{Level: "caution", Words: "No drift, but " + count(len(p.Live), "warning") + " about how the network runs"}
	case len(p.Behind) > 0:
		return headline{Level: "caution", Words: "No drift, but git asks for what nobody applied yet"}
	}
	return headline{Level: "fine", Words: "No drift"}
}

// named gives clusters with their states.
func named(clusters []plan.Cluster) (out []string) {
	for _, c := range clusters {
		out = append(out, fmt.Sprintf("cluster %s (%s)", c.Name, c.State))
	}
	return out
}

var allKinds = []plan.Kind{plan.KindSite, plan.KindLink, plan.KindProxy, plan.KindObject}

var manyOf = map[plan.Kind]string{plan.KindSite: "sites", plan.KindLink: "links", plan.KindProxy: "proxies", plan.KindObject: "objects"}

// numberOf words how many things of a kind there are: "54 links".
func numberOf(n int, k plan.Kind) string { return plural(n, string(k), manyOf[k]) }

// disturbed counts the actions that traffic notices, by how.
func disturbed(p plan.Plan) (out []string) {
	for _, d := range []plan.Disruption{plan.DisruptionRestart, plan.DisruptionReconnect, plan.DisruptionReplace} {
		if n := len(only(p.Actions, func(a plan.Action) bool { return a.Disruption == d && a.Verb != plan.VerbDelete })); n > 0 {
			out = append(out, count(n, disturbing[d]))
		}
	}
	if n := len(only(p.Actions, func(a plan.Action) bool { return trafficOf(a) == changes })); n > 0 {
		out = append(out, plural(n, "listener or connector changes", "listeners and connectors change"))
	}
	return out
}

var disturbing = map[plan.Disruption]string{
	plan.DisruptionRestart: "router restart", plan.DisruptionReconnect: "reconnect", plan.DisruptionReplace: "replacement",
}
