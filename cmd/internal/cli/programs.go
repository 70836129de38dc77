package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/secrets"
)

// What --programs and FAIRLEAD_PROGRAMS take.
const (
	programsAllow  = "allow"
	programsRefuse = "refuse"
	programsEnv    = "FAIRLEAD_PROGRAMS"
)

// running adds the flag that says whether programs of the description may run.
func (o *common) running(c *cobra.Command) {
	c.Flags().StringVar(&o.programs, "programs", programsAllow,
		"allow or refuse programs that the description names: command, sops, and kubeconfigs that ask a program; FAIRLEAD_PROGRAMS=refuse refuses them whatever is given here")
}

// checkPrograms reads the flag and the variable. The stricter of the two holds, so that
// what a pipeline refuses no argument allows.
func (o *common) checkPrograms() error {
	given := o.sys.Getenv(programsEnv)
	for _, from := range []struct{ name, value string }{{"--programs", o.programs}, {programsEnv, given}} {
		switch from.value {
		case programsAllow, "":
		case programsRefuse:
			o.refuses = true
		default:
			return fail(exitInvalid, "%s %q is not known; use allow or refuse", from.name, from.value)
		}
	}
	if o.given != nil && o.given("programs") && o.programs == "" {
		return fail(exitInvalid, "--programs is empty; use allow or refuse")
	}
	return nil
}

// refusedProgram stands for the sources that run a program where none may run.
type refusedProgram struct{}

// Resolve implements secrets.Resolver.
func (refusedProgram) Resolve(_ context.Context, ref secrets.Ref) (secrets.Value, error) {
	return secrets.Value{}, &secrets.Error{
		Ref: ref, Kind: secrets.ErrProgram, Detail: "takes a program, and none that the description names may run here",
		Fix: "read it where --programs and " + programsEnv + " allow programs, or use another source, such as env or file",
	}
}

// programRefused reports whether something is missing because its program may not run.
func programRefused(err error) bool { return errors.Is(err, secrets.ErrProgram) }
