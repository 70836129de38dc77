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
	// Action is the ID of the action that it would have been, Field the path in it; empty
	// where all of the action is left out.
	Action string `json:"action"`
	Field  string `json:"field"`
	// Rule is the path of the rule, Reason why it is there.
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}
