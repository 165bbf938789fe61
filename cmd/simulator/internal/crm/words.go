package crm

import (
	"math/rand/v2"
	"slices"
	"strings"
)

var (
	words = strings.Fields(`Amber Anchor Aspen Badger Basalt Beacon Birch Bramble Canyon Cedar Cinder Cobalt Comet
		Copper Coral Crane Delta Drift Ember Falcon Fern Flint Garnet Glacier Granite Harbor Hazel Heron Indigo Iris
		Juniper Kestrel Lantern Larch Linden Lotus Maple Marble Meadow Mesa Nimbus Oak Onyx Orchid Osprey Otter Pebble
		Pine Plover Quartz Quill Raven Reed Ridge Saffron Sage Sable Slate Sorrel Sparrow Summit Swift Teal Thistle
		Timber Topaz Tundra Umber Vale Violet Walnut Willow Wren Yarrow Zephyr`)
	nouns = strings.Fields(`Systems Foods Logistics Clinics Builders Studios Energy Motors Textiles Software Capital
		Media Farms Optics Robotics Travel Chemicals Insurance Tools Networks`)
	forms      = strings.Fields("Inc Ltd GmbH AG SA BV AB Pty LLC Oy")
	industries = strings.Fields(`Software Finance Health Retail Energy Transport Education Media Agriculture
		Construction Chemicals Tourism`)
	countries  = strings.Fields("US DE GB FR NL CH SE AU JP BR IN CA ES IT PL")
	firstNames = strings.Fields(`Olivia Liam Emma Noah Amelia Oliver Sofia Elijah Mia Lucas Charlotte Mateo Isla Leo
		Aurora Theo Freya Hugo Clara Felix Ines Omar Yuki Ravi Chloe Samuel Nadia Viktor Elena Marcus Priya Kenji Fatima
		Anders Lucia Pavel Grace Daniel Zoe Ibrahim Hannah Jonas Leila Martin Alice Diego Mei Thomas Sara Andrei`)
	lastNames = strings.Fields(`Smith Mueller Dubois Garcia Rossi Jansen Nilsson Kowalski Tanaka Singh Okafor Silva
		Brown Weber Martin Lopez Ricci Bakker Larsson Nowak Suzuki Patel Mensah Costa Jones Fischer Bernard Ruiz Ferrari
		Visser Berg Wojcik Sato Sharma Diallo Pereira Taylor Wagner Petit Moreno Bianchi Smit Lund Zielinski Ito Gupta
		Traore Almeida Walker Becker Moreau Navarro Romano Mulder Holm Kaminski Watanabe Reddy Sow Ribeiro`)
	titles = []string{"Account Manager", "Sales Director", "Software Engineer", "Head of Marketing", "Buyer",
		"Chief Executive", "Analyst", "Consultant", "Office Manager", "Product Manager", "Chief Technologist",
		"Data Scientist", "Recruiter", "Controller", "Support Lead", "Designer"}
	seniorities = strings.Fields("staff senior manager director vp c-level owner")
	departments = strings.Fields(`sales engineering marketing finance support operations purchasing legal research
		design security facilities people data press audit`)
	keywords = strings.Fields(`saas b2b export cloud retail mobile ai green health hardware media travel payments
		education robotics gaming grants public family-owned listed`)
	kinds    = strings.Fields("email call note meeting order complaint")
	subjects = strings.Fields("Introduction Follow-up Quote Contract Renewal Question Demo Invoice Review Lunch")
	sources  = strings.Fields("fair web referral import webinar campaign")
)

// Departments are what contacts work in, the most frequent first.
func Departments() []string { return departments }

// Kinds are the kinds of interactions, the most frequent first.
func Kinds() []string { return kinds }

// LastNames are what contacts are called.
func LastNames() []string { return lastNames }

// Titles are what contacts are.
func Titles() []string { return titles }

// some draws up to most different words, the first ones more often; at times none.
func some(r *rand.Rand, list []string, most int) []string {
	drawn := make([]string, 0, most)
	for range r.IntN(most + 1) {
		word := list[Zipf(r, len(list))]
		if !slices.Contains(drawn, word) {
			drawn = append(drawn, word)
		}
	}
	return drawn
}
