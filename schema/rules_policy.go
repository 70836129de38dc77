package schema

import (
	"fmt"
	"path"
	"time"
)

// policyRules checks what a policy's texts mean.
func (r *rules) policyRules() {
	for i, file := range r.policy.Signers {
		item := fmt.Sprintf("[%d]", i)
		name := "policy.signers" + item
		switch {
		case file == "":
			r.fail("signers", "", r.policy.at("signers", item), name+` is ""`, "give the path of a file with keys, relative to the description")
		case path.IsAbs(file):
			r.fail("signers", "", r.policy.at("signers", item), fmt.Sprintf("%s %q is an absolute path", name, file),
				"write it relative to the description, inside the repository; --signers takes files from elsewhere")
		}
	}
	if !r.policy.has("planExpiry") {
		return
	}
	if d, err := time.ParseDuration(r.policy.PlanExpiry); err != nil || d <= 0 {
		r.fail("plan-expiry", "", r.policy.at("planExpiry"), fmt.Sprintf("policy.planExpiry is %q, which is no duration above zero", clip(r.policy.PlanExpiry)),
			`write hours and minutes, such as "72h" or "1h30m"`)
	}
}
