package servers

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ResetPeak begins a new measurement of a process's peak memory. It returns false
// where the kernel has none (it is Linux's).
func ResetPeak(pid int) bool {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) == nil
}

// Peak is the most memory, in bytes, that a process had since ResetPeak, and the
// memory that it has now.
func Peak(pid int) (peak, now int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kilobytes, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmHWM:":
			peak = kilobytes * 1024
		case "VmRSS:":
			now = kilobytes * 1024
		}
	}
	return peak, now
}
