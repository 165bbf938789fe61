package pgtest

// Cutter says how many bytes the next write takes when done bytes of a send
// have been written.
type Cutter func(done int) int

// Whole writes everything at once.
func Whole(int) int { return 1 << 30 }

// ByteByByte writes single bytes. After two kilobytes, where the interesting
// cuts are behind it, it goes on in odd pieces so that long sends end.
func ByteByByte(done int) int {
	if done < 2<<10 {
		return 1
	}
	return 977
}

// CutAt cuts at the given places, counted from the start of each send.
func CutAt(places ...int) Cutter {
	return func(done int) int {
		for _, p := range places {
			if p > done {
				return p - done
			}
		}
		return Whole(done)
	}
}
