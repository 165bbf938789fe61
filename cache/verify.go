package cache

// Sampled reports whether the nth hit is one that is to be executed all the same and
// compared.
func (c *Cache) Sampled(n int) bool {
	every := c.cfg.Load().VerifySample
	return every > 0 && n%every == 0
}

// Verified counts a comparison of a hit with PostgreSQL's answer, and whether the hit
// was right.
func (s *Shape) Verified(right bool) {
	s.total.verified.Add(1)
	if !right {
		s.total.mismatches.Add(1)
	}
}
