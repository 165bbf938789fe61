package sqlparse

// noteSequences looks for the names of nextval, setval, currval and lastval in a
// text with code in it, or that hands code to a function: where nothing can be
// told from a call.
func (c *classifier) noteSequences() {
	if c.class.Pins&(ReasonFunction.Set()|ReasonDo.Set()|ReasonCall.Set()) == 0 {
		return
	}
	for i := 3; i+3 <= len(c.text); i++ {
		if c.text[i]|0x20 != 'v' || c.text[i+1]|0x20 != 'a' || c.text[i+2]|0x20 != 'l' {
			continue
		}
		before := c.text[max(0, i-4):i]
		switch set := before[len(before)-3:]; {
		case equalFold(before, "next"), equalFold(set, "set"):
			c.class.Advances = true
		case equalFold(before, "curr"), equalFold(before, "last"):
			c.class.ReadsSequences = true
		}
	}
}
