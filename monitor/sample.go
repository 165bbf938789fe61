package monitor

// Sample is what is known of an exchange when it has ended. It is the
// caller's: Exchange keeps nothing of it.
type Sample struct {
	Duration int64 // ns, as the client saw it: from its first message to the last reply
	Wait     int64 // ns of it spent waiting for a backend
	// Backend is the ns of it from when the first message had been passed on to
	// the backend until its last reply was there. 0: there was none; then the
	// exchange says nothing about backend and overhead.
	Backend int64
	Command Command
	Source  Source
	Rows    uint64  // that were returned or changed
	Code    [2]byte // the class of the SQLSTATE it failed with; zero: it did not fail
}

// overhead is the time that nobody but the proxy took. Its parts are measured
// at different moments, so the difference may come out a little below zero.
func (s *Sample) overhead() int64 { return max(s.Duration-s.Wait-s.Backend, 0) }

// Bytes is how much went through the proxy.
type Bytes struct {
	ClientReceived, ClientSent uint64
	ServerReceived, ServerSent uint64
}
