package htmltest

import (
	"math"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// hostile are names that would end an element, an attribute, a script or its data.
var hostile = []string{
	`</script><script>window.hacked=1</script>`, `<img src=x onerror=window.hacked=1>`, `"><svg onload=window.hacked=1>`, `' onmouseover='window.hacked=1`,
	`</style><style>*{display:none}</style>`, `</title><script>window.hacked=1</script>`, `</text></svg><script>window.hacked=1</script>`, `--><script>window.hacked=1</script><!--`,
	`javascript:window.hacked=1`, `{{.Data}}`, `${window.hacked=1}`, `]]>`, `&lt;b&gt;`, "a\u2028b", `\u003cscript>`, `</textarea>`, `__proto__`, `constructor`,
	`https://evil.example.com/x.png`, `url(https://evil.example.com)`,
}

// hostileReport has hostile text wherever a user's text can be.
func hostileReport() report.Report {
	before, after := network.Network{Name: hostile[0]}, network.Network{Name: hostile[0]}
	for i, name := range hostile {
		to := hostile[(i+1)%len(hostile)]
		site := network.Site{Name: network.SiteName(name), Cluster: network.ClusterName(hostile[i/4]), Namespace: name, LinkAccess: []string{"", "default"}[i%2], Edge: i%4 == 2, DeclaredAt: diag.Position{File: name, Line: 1}}
		link := network.Link{Name: network.LinkName(name), From: site.Name, To: network.SiteName(to), Cost: 2, DeclaredAt: diag.Position{File: name, Line: 1}}
		if i%5 != 0 {
			before.Sites, before.Links = append(before.Sites, site), append(before.Links, link)
		}
		if link.Cost += int32(i % 3); i%7 != 6 {
			after.Sites, after.Links = append(after.Sites, site), append(after.Links, link)
		}
	}
	before, after = sorted(before), sorted(after)
	r := reportOf(before, after)
	for i := range r.Plan.Actions {
		text := hostile[i%len(hostile)]
		a := &r.Plan.Actions[i]
		a.Why, a.DependsOn = text, []string{text}
		a.Fields = append(a.Fields, plan.Field{Path: text, From: text, To: text})
	}
	for _, text := range hostile {
		p := r.Plan
		p.Refusals = append(p.Refusals, plan.Refusal{Code: text, Subject: text, Message: text, Override: text, Number: 1})
		p.Topology.Effects = append(p.Topology.Effects, plan.Effect{Severity: "high", Message: text}, plan.Effect{Severity: text, Message: text})
		p.Unmanaged = append(p.Unmanaged, plan.ObjectRef{Cluster: network.ClusterName(text), Kind: plan.ObjectKind(text), Name: text})
		p.Diagnostics = append(p.Diagnostics, diag.Finding{Severity: diag.Severity(text), Subject: text, Message: text, Fix: text, At: diag.Position{File: text}})
		p.Live = append(p.Live, plan.Live{Severity: diag.Severity(text), Code: text, Subject: "link/" + text, Cluster: network.ClusterName(text), Message: text, Fix: text})
		p.Ignored = append(p.Ignored, plan.Ignored{Action: text, Field: text, Rule: text, Reason: text})
		p.Clusters = append(p.Clusters, plan.Cluster{Name: network.ClusterName(text), State: plan.State(text), Reason: text, Skupper: text})
	}
	r.Plan.Source.Ref, r.Plan.ID, r.Run = hostile[1], hostile[2], hostile[8]
	return r
}

// linear undoes the gamma of a colour's part.
func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
