package plan

import (
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Live is one fact about how the network runs that no description shows.
type Live struct {
	Severity diag.Severity `json:"severity"`
	// Code names the kind of fact in kebab-case and is stable, such as "link-down".
	Code string `json:"code"`
	// Subject is what the fact is about, as an action's ID is written: "link/shop1-hub".
	Subject   string              `json:"subject"`
	Cluster   network.ClusterName `json:"cluster"`
	Namespace string              `json:"namespace"`
	// Message says what is so, Fix what to do about it.
	Message string `json:"message"`
	Fix     string `json:"fix"`
	// At is where the subject is declared; zero when it is not.
	At diag.Position `json:"at"`
}

// Ignored is drift that a rule of the description leaves out.
type Ignored struct {
	// Action is the ID of the action that it would have been, or the subject of a fact
	// about how the network runs. Field is the path in it, or the fact's code; empty where
	// all of an object is left out.
	Action string `json:"action"`
	Field  string `json:"field"`
	// From is the field's value on the cluster, To the one that was last applied; absent
	// for facts and for a whole object.
	From any `json:"from,omitempty"`
	To   any `json:"to,omitempty"`
	// Rule is the path of the rule, Reason why it is there.
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// Applied is a commit and the sites whose records are of it.
type Applied struct {
	// Commit is empty for what was applied outside of git.
	Commit string             `json:"commit"`
	Sites  []network.SiteName `json:"sites"`
}
