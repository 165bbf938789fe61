package main

// The words that the CRM's names are made of.

var crmTenantNames = []string{
	"Northwind Sales", "Blue Harbour", "Cedar & Sons", "Delta Partners", "Evergreen Office", "Fjord Consulting",
	"Granite Works", "Helios Retail", "Iron Bridge", "Juniper Health", "Kestrel Travel", "Lakeside Media",
	"Maple Logistics", "Nova Energy", "Oak Street", "Pioneer Tools", "Quartz Finance", "Redwood Events",
	"Silver Lining", "Tidewater Foods",
}

var crmWords = []string{
	"Acorn", "Alder", "Amber", "Arrow", "Aspen", "Atlas", "Aurora", "Beacon", "Birch", "Bluebell", "Bramble", "Canyon",
	"Cobalt", "Comet", "Copper", "Coral", "Crescent", "Cypress", "Dune", "Eagle", "Ember", "Falcon", "Fern", "Flint",
	"Garnet", "Glacier", "Harbor", "Hazel", "Heron", "Horizon", "Indigo", "Island", "Ivory", "Jade", "Lark", "Laurel",
	"Linden", "Lumen", "Lynx", "Magnet", "Meadow", "Meridian", "Mosaic", "Nimbus", "Onyx", "Orchid", "Otter", "Pebble",
	"Pine", "Polar", "Prairie", "Raven", "Ridge", "River", "Robin", "Saffron", "Sequoia", "Slate", "Sparrow", "Summit",
	"Tern", "Timber", "Topaz", "Valley", "Vector", "Violet", "Walnut", "Willow", "Zenith", "Zephyr",
}

var crmIndustries = []struct{ name, noun string }{
	{"software", "Systems"}, {"software", "Labs"}, {"retail", "Stores"}, {"logistics", "Freight"},
	{"health", "Clinics"}, {"energy", "Power"}, {"food", "Kitchens"}, {"finance", "Capital"},
	{"construction", "Builders"}, {"media", "Studios"}, {"education", "Schools"}, {"travel", "Tours"},
}

var crmForms = []string{"GmbH", "Inc", "Ltd", "SA", "AG", "Pty", "BV", "KK"}

var crmCountries = []string{"DE", "DE", "US", "US", "US", "GB", "FR", "NL", "CH", "AT", "ES", "IT", "SE", "JP", "AU", "CA"}

var crmFirstNames = []string{
	"Ada", "Aiko", "Alice", "Amir", "Ana", "Ben", "Carla", "Chen", "Clara", "Daniel", "David", "Elena", "Emil", "Emma",
	"Eva", "Felix", "Grace", "Hana", "Henrik", "Ines", "Isaac", "Ivan", "Jonas", "Julia", "Kenji", "Lara", "Leo", "Lin",
	"Luca", "Maja", "Marco", "Maria", "Maya", "Mohammed", "Nina", "Noah", "Olga", "Omar", "Paul", "Petra", "Priya",
	"Rosa", "Samuel", "Sara", "Sofia", "Tara", "Thomas", "Tim", "Vera", "Yusuf",
}

var crmLastNames = []string{
	"Adler", "Ahmed", "Almeida", "Andersen", "Baker", "Bauer", "Bianchi", "Brown", "Carter", "Chen", "Costa", "Dubois",
	"Evans", "Ferrari", "Fischer", "Garcia", "Green", "Hansen", "Hoffmann", "Ito", "Jansen", "Johnson", "Kaya", "Keller",
	"Kim", "Kowalski", "Kumar", "Lambert", "Larsen", "Lopez", "Maier", "Martin", "Meyer", "Moreau", "Nakamura", "Nguyen",
	"Novak", "Okafor", "Olsen", "Patel", "Petrov", "Popescu", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Smith",
	"Suzuki", "Tanaka", "Taylor", "Wagner", "Weber", "Williams", "Wilson", "Wright", "Yilmaz", "Young", "Zhang", "Zimmer",
}

var crmTitles = []string{
	"Account Manager", "Buyer", "CEO", "CFO", "CTO", "Consultant", "Data Analyst", "Engineer", "Head of Operations",
	"Head of Sales", "HR Manager", "Office Manager", "Product Manager", "Purchasing Manager", "Team Lead",
}

var crmSubjects = []string{
	"Annual review", "Asked for an offer", "Contract renewal", "Delivery date", "Demo of the new version",
	"First contact", "Follow-up", "Introduction of the team", "Invoice question", "Lunch at the fair",
	"Offer sent", "Order placed", "Price list", "Reminder", "Support question", "Training", "Visit on site",
	"Wants to cancel", "Welcome",
}
