package rewrite

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// audience is whom a rule of the configuration is for, beyond users and databases.
type audience struct {
	applications []string
	clients      []netip.Prefix
}

func newAudience(r *UserRule) (a audience, err error) {
	a.applications = r.Applications
	for _, text := range r.Clients {
		p, err := parseNetwork(text)
		if err != nil {
			return a, fmt.Errorf("clients: %q is no network, such as 10.0.0.0/8, and no address", text)
		}
		a.clients = append(a.clients, p)
	}
	return a, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return address.Prefix(address.BitLen())
}

// all reports whether it leaves nobody out.
func (a *audience) all() bool { return len(a.applications) == 0 && len(a.clients) == 0 }

func (a *audience) has(application string, client netip.Addr) bool {
	if len(a.applications) > 0 && !slices.Contains(a.applications, application) {
		return false
	}
	return len(a.clients) == 0 || slices.ContainsFunc(a.clients, func(p netip.Prefix) bool { return p.Contains(client) })
}

// Audience says which rules are for a session, of those that ask for its application or
// its client. Sessions with the same one are treated alike.
type Audience uint64

// maxAudiences bounds how many rules may ask.
const maxAudiences = 64

// Audience returns that of a session; client is not valid on a Unix socket. It allocates
// nothing.
func (e *Engine) Audience(application string, client netip.Addr) (a Audience) {
	for i := range e.audiences {
		if e.audiences[i].has(application, client) {
			a |= 1 << i
		}
	}
	return a
}

// AsksWho reports whether there are rules that ask for a session's application or client.
func (e *Engine) AsksWho() bool { return len(e.audiences) > 0 }

// gather finds out which rules ask.
func (e *Engine) gather() error {
	for i := range e.rules {
		if r, ok := e.rules[i].Rule.(userRule); ok && !r.audience.all() {
			e.rules[i].audience = 1 << len(e.audiences)
			e.audiences = append(e.audiences, r.audience)
		}
	}
	if len(e.audiences) > maxAudiences {
		return fmt.Errorf("more than %d user_rules have applications or clients", maxAudiences)
	}
	return nil
}
