package panel

// Okabe and Ito's colours, which people of every colour vision tell apart
// (Okabe & Ito 2008, "Color Universal Design"). They mean the same everywhere:
// green is well, orange wants a look, vermillion wants a hand; sky and blue are
// the crowd and what is measured, purple is a mixture, grey is what is expected,
// allowed or not known.
const (
	Green      = "#009E73"
	Orange     = "#E69F00"
	Vermillion = "#D55E00"
	Sky        = "#56B4E9"
	Blue       = "#0072B2"
	Purple     = "#CC79A7"
	Yellow     = "#F0E442"
	Grey       = "#999999"
)

// Palette is the order in which lines without a meaning get their colours.
var Palette = []string{Sky, Orange, Green, Purple, Yellow, Blue, Vermillion, Grey}
