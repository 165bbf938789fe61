package servers

import (
	"os"
	"strings"
)

// Logged says whether a text is anywhere in its log.
func (p *PgJay) Logged(text string) bool {
	log, err := os.ReadFile(p.logFile())
	return err == nil && strings.Contains(string(log), text)
}
