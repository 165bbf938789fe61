package configs

import (
	"fmt"
	"strings"

	"github.com/pgjay/pgjay/monitor/web"
)

func (c check) dashboard() {
	d := &c.cfg.Dashboard
	c.secret("dashboard.password", d.Password, d.User)
	c.secret("dashboard.token", d.Token, d.User)
	if d.Password != "" && strings.Contains(d.User, ":") {
		c.wrong("dashboard.user", "it has a colon, and what a browser sends as the name ends there", "choose a name without a colon")
	}
	if d.Password != "" && d.User == "" {
		c.missing("dashboard.user", "there is a password without a user", "give the name that a browser logs in with", "dashboard.password")
	}
}

// secret wants a password of a user that is not guessed at once. It is not in the message.
func (c check) secret(path, secret, user string) {
	switch {
	case secret == "":
	case web.Guessable(secret, user):
		c.wrong(path, "it is what everybody tries first", "choose another, best at random: openssl rand -base64 18")
	case len(secret) < web.MinSecret:
		c.wrong(path, "it is too short", fmt.Sprintf("use %d characters or more, best at random: openssl rand -base64 18", web.MinSecret))
	}
}
