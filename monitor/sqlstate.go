package monitor

// sqlstateClasses are the classes of PostgreSQL's errcodes.txt. A function
// may raise any other one: those are counted together, as the last.
var sqlstateClasses = [...]string{
	"00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z",
	"10", "20", "21", "22", "23", "24", "25", "26", "27", "28", "2B", "2D", "2F",
	"34", "38", "39", "3B", "3D", "3F", "40", "42", "44", "53", "54", "55", "57", "58",
	"72", "F0", "HV", "P0", "XX", otherLabel,
}

const (
	classCount = len(sqlstateClasses)
	classOther = classCount - 1
)

// classIndexes has for each two letters or digits the class's place in
// sqlstateClasses, plus one; 0 is any other class.
var classIndexes = func() (indexes [36 * 36]uint8) {
	for i, class := range sqlstateClasses[:classOther] {
		indexes[digit(class[0])*36+digit(class[1])] = uint8(i + 1)
	}
	return indexes
}()

// classIndex returns the place of a class in sqlstateClasses.
func classIndex(class [2]byte) int {
	high, low := digit(class[0]), digit(class[1])
	if high < 0 || low < 0 {
		return classOther
	}
	if i := classIndexes[high*36+low]; i > 0 {
		return int(i) - 1
	}
	return classOther
}

// digit returns the value of a character of a SQLSTATE in base 36, or -1.
func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return -1
}
