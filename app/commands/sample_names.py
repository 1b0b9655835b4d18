"""The words sample people are made of: names, cities and streets of 29 places, the commonest first.

A word in another script carries its Latin spelling after a slash (`张/zhang`): e-mail addresses use that.
A city is `name/region/postal code`, where `#` stands for a digit that each address draws itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One country's people; `order` and `street` are formats over given, family and street, number."""

    locale: str
    weight: int
    given: str
    family: str
    cities: str
    streets: str
    country: str  # as directories store it: an ISO 3166 code, or the native name
    country_name: str  # the other spelling that one address in ten has
    phone: str  # E.164 prefixes of mobile numbers, by commas, then `x` and how many digits follow
    bios: str
    order: str = "{given} {family}"
    street: str = "{street} {number}"
    departments: str = ""  # "" is DEPARTMENTS
    titles: str = ""  # "" is TITLES
    second_given: int = 0  # per cent of people with a second given name
    second_family: int = 0  # per cent of people with a second surname, joined by `family_joint`
    family_joint: str = "-"


DEPARTMENTS = (
    "Engineering,Sales,Customer Support,Marketing,Operations,Finance,Human Container,Product,Research & "
    "Development,Legal,IT,Procurement,Logistics,Quality <QA>,Facilities,Office of the CEO"
)
TITLES = (
    "Software Engineer,Account Manager,Support Specialist,Senior Developer,Project Manager,Analyst,"
    "Designer,"
    "Team Lead,Consultant,Data Engineer,Office Manager,Director of Operations,Recruiter,Controller,"
    "Counsel,Vice President,Working Student,Chief Technology Officer"
)
TAGS = (
    "employee,newsletter,remote,beta,contractor,vip,manager,on-call,trainee,alumni,first-aid,external,"
    "team:red,team:blue,部门/研发,志愿者,フルタイム,extérieur,Gefahrgut,área técnica"
)
LABELS = "home,work,billing,holiday,parents"

_CHINESE_DEPARTMENTS = "研发部,销售部,市场部,客服部,财务部,人力资源部,产品部,行政部,法务部"
_CHINESE_TITLES = "软件工程师,客户经理,项目经理,产品经理,数据分析师,设计师,技术总监,前台,实习生"
_CHINESE_CITIES = (
    "北京/北京市/1000##,上海/上海市/2000##,广州/广东省/5100##,深圳/广东省/5180##,成都/四川省/6100##,"
    "杭州/浙江省/3100##,武汉/湖北省/4300##,西安/陕西省/7100##,南京/江苏省/2100##,重庆/重庆市/4000##,"
    "天津/天津市/3000##,苏州/江苏省/2150##,长沙/湖南省/4100##,呼和浩特/内蒙古自治区/0100##,"
    "太原/山西省/0300##,石家庄/河北省/0500##,哈尔滨/黑龙江省/1500##,昆明/云南省/6500##,乌鲁木齐/新疆/8300##"
)
_CHINESE_STREETS = (
    "天安门大街,人民路,中山路,解放路,建设路,和平路,长安街,南京西路,文化路,新华路,学院路,延安中路,北环大道,"
    "滨江大道,朝阳路,西湖路,复兴门外大街,科技园路"
)
_SPANISH_GIVEN = (
    "María,José,Carmen,Antonio,Ana,Manuel,Laura,Francisco,Lucía,Juan,Marta,Javier,Elena,Carlos,Sofía,Jesús,"
    "Isabel,Miguel Ángel,Pilar,Alejandro,Inés,Rafael,Begoña,Álvaro,Rocío,Íñigo,Nuria,Óscar,Ángela,Joaquín"
)
_SPANISH_FAMILY = (
    "García,Rodríguez,González,Fernández,López,Martínez,Sánchez,Pérez,Gómez,Martín,Jiménez,Hernández,Ruiz,"
    "Díaz,"
    "Moreno,Muñoz,Álvarez,Romero,Gutiérrez,Torres,Vázquez,Ramos,Núñez,Ibáñez,Castro,Peña,Cañizares,"
    "de la Fuente,"
    "Ortega,Iglesias"
)
_ENGLISH_GIVEN = (
    "James,Mary,Robert,Patricia,John,Jennifer,Michael,Linda,David,Elizabeth,William,Barbara,Richard,Susan,"
    "Joseph,Jessica,Thomas,Karen,Christopher,Sarah,Charles,Lisa,Daniel,Nancy,Matthew,Sandra,Anthony,Ashley,"
    "Emily,Joshua,Olivia,Kevin,Grace,Tyler,Hannah,Ada,Zoë,Chloe,Malik,Renée,Mary-Kate,D'Andre,Xavier,Imani"
)
_GERMAN_GIVEN = (
    "Anna,Michael,Maria,Thomas,Julia,Andreas,Laura,Stefan,Lena,Christian,Sabine,Martin,Petra,Jürgen,Monika,"
    "Klaus,Sophie,Wolfgang,Ursula,Felix,Katharina,Jörg,Lukas,Käthe,Uwe,Anne-Marie,Günther,Karl-Heinz,"
    "Hans-Peter,"
    "Björn,Sören,Eva-Lotta,Zoë,Annegret,Torsten"
)
_GERMAN_FAMILY = (
    "Müller,Schmidt,Schneider,Fischer,Weber,Meyer,Wagner,Becker,Schulz,Hoffmann,Schäfer,Koch,Bauer,Richter,"
    "Klein,"
    "Wolf,Schröder,Neumann,Schwarz,Zimmermann,Braun,Krüger,Hofmann,Hartmann,Lange,Groß,Weiß,Böhm,Jäger,"
    "Vogel,"
    "Lüdenscheidt,von Bülow,Größmann,Yıldız,Kowalski,zu Guttenberg,Strauß,Nguyen"
)

PLACES = (
    Place(
        "en-US",
        15,
        _ENGLISH_GIVEN,
        "Smith,Johnson,Williams,Brown,Jones,Garcia,Miller,Davis,Rodriguez,Martinez,Hernandez,Lopez,Wilson,"
        "Anderson,Thomas,Taylor,Moore,Jackson,Lee,Perez,Thompson,White,Harris,Clark,Lewis,Robinson,Walker,"
        "Young,"
        "Nguyen,Kim,Patel,Chen,O'Brien,McDonald,Washington,St. John,Goldberg,DeAngelo,Kowalczyk,Begay",
        "New York/NY/100##,Los Angeles/CA/900##,Chicago/IL/606##,Houston/TX/770##,Boston/MA/021##,"
        "Phoenix/AZ/850##,Seattle/WA/981##,Newark/NJ/071##,Providence/RI/029##,Hartford/CT/061##,"
        "Portland/ME/041##,Miami/FL/331##,Denver/CO/802##,Atlanta/GA/303##,San Juan/PR/009##,"
        "Burlington/VT/054##",
        "Main Street,Oak Avenue,Park Road,Maple Drive,Washington Blvd,2nd Street,Elm Street,Lake View Ct,"
        "Martin Luther King Jr. Way,Cedar Lane,Broadway,Sunset Blvd",
        "US",
        "United States",
        "+12125,+13104,+13126,+16175,+12063,+13058,+17132,+14155,+16028,+13037 x6",
        "Coffee, code and long walks.|Runs marathons, slowly|Parent of three; gardener.|Here to help :)|"
        'Known as "the fixer" since 2009.|Ask me about sourdough 🍞',
        street="{number} {street}",
        second_given=12,
    ),
    Place(
        "en-GB",
        7,
        "Oliver,Amelia,George,Isla,Harry,Ava,Jack,Emily,Jacob,Sophie,Charlie,Lily,Thomas,Freya,Oscar,Evie,"
        "William,"
        "Poppy,James,Alice,Nigel,Gareth,Siân,Rhys,Fiona,Hamish,Mohammed,Aisha,Priya,Jean-Luc",
        "Smith,Jones,Taylor,Brown,Williams,Wilson,Johnson,Davies,Patel,Robinson,Wright,Thompson,Evans,"
        "Walker,White,"
        "Roberts,Green,Hall,Wood,Khan,Clarke,Hughes,Edwards,Begum,MacLeod,Llewellyn,Featherstonehaugh,"
        "Fitzgerald-Smythe,Ap Rhys,Ogilvy",
        "London/Greater London/EC1A #BB,Manchester/Greater Manchester/M1 #AE,"
        "Birmingham/West Midlands/B2 #QQ,"
        "Leeds/West Yorkshire/LS1 #UR,Glasgow/Scotland/G1 #XW,Edinburgh/Scotland/EH1 #YZ,"
        "Cardiff/Wales/CF10 #BH,"
        "Bristol/Bristol/BS1 #TR,Belfast/Northern Ireland/BT1 #GS,Stoke-on-Trent/Staffordshire/ST4 #DE",
        "High Street,Station Road,Church Lane,Victoria Road,The Crescent,Mill Lane,King's Parade,"
        "Queen Street",
        "GB",
        "United Kingdom",
        "+447 x9",
        "Tea first.|Mountain rescue volunteer & baker|Recovering academic.|Prefers e-mail to the telephone",
        street="{number} {street}",
        second_family=4,
    ),
    Place(
        "en-IE",
        2,
        "Seán,Aoife,Patrick,Saoirse,Conor,Niamh,Cian,Caoimhe,Oisín,Róisín,Pádraig,Siobhán,Liam,Gráinne,"
        "Eoin,Orla,"
        "Fionn,Bríd,Daithí,Mary-Ellen",
        "Murphy,Kelly,O'Sullivan,Walsh,O'Brien,Byrne,Ryan,O'Connor,O'Neill,Doyle,McCarthy,Gallagher,"
        "O'Doherty,"
        "Kennedy,Lynch,Ó Murchú,Ní Bhriain,FitzGerald,Mac Giolla,O'Shea-Quinn",
        "Dublin/Leinster/D02 X2##,Cork/Munster/T12 W8##,Galway/Connacht/H91 E2##,Limerick/Munster/V94 T9##,"
        "Dún Laoghaire/Leinster/A96 R8##",
        "O'Connell Street,Grafton Street,Patrick Street,St. Stephen's Green,Shop Street",
        "IE",
        "Ireland",
        "+3538 x8",
        "Grand, thanks.|Fiddle player; will travel|Gaeilgeoir",
        street="{number} {street}",
    ),
    Place(
        "de-DE",
        9,
        _GERMAN_GIVEN,
        _GERMAN_FAMILY,
        "Berlin/Berlin/101##,Hamburg/Hamburg/200##,München/Bayern/803##,Köln/Nordrhein-Westfalen/506##,"
        "Frankfurt am Main/Hessen/603##,Stuttgart/Baden-Württemberg/701##,"
        "Düsseldorf/Nordrhein-Westfalen/402##,"
        "Leipzig/Sachsen/041##,Dresden/Sachsen/010##,Halle (Saale)/Sachsen-Anhalt/061##,"
        "Jena/Thüringen/077##,"
        "Nürnberg/Bayern/904##,Lüdenscheid/Nordrhein-Westfalen/585##,Weißwasser/Sachsen/029##",
        "Hauptstraße,Bahnhofstraße,Schulstraße,Gartenweg,Am Markt,Goethestraße,Bergstraße,Lindenallee,"
        "Straße des 17. Juni,Königsallee,Zum Löwen,Mühlgasse",
        "DE",
        "Germany",
        "+49151,+49160,+49170,+49176 x8",
        "Mag Fahrräder und frühes Aufstehen.|Größter Fan der 80er|Ehrenamtlich bei der Feuerwehr.|Übt noch.",
        second_family=5,
    ),
    Place(
        "de-AT",
        2,
        _GERMAN_GIVEN,
        "Gruber,Huber,Bauer,Wagner,Müller,Pichler,Steiner,Moser,Mayer,Hofer,Leitner,Berger,Fuchs,Eder,"
        "Fischer,"
        "Schwarzenegger,Öttl,Prohaska,Jelinek,Nowotny",
        "Wien/Wien/10#0,Graz/Steiermark/80#0,Linz/Oberösterreich/40#0,Salzburg/Salzburg/50#0,"
        "Innsbruck/Tirol/60#0",
        "Mariahilfer Straße,Ringstraße,Kirchengasse,Schloßweg,Neubaugürtel",
        "AT",
        "Austria",
        "+43660,+43664,+43676 x7",
        "Servus!|Am liebsten am Berg.|Kaffeehausmensch",
        second_family=5,
    ),
    Place(
        "nl-NL",
        3,
        "Jan,Emma,Daan,Sanne,Pieter,Anouk,Sem,Fleur,Willem,Lotte,Thijs,Maaike,Ruben,Femke,Joost,Marijke,"
        "Koen,"
        "Annelies,Bas,Noëlle",
        "de Jong,Jansen,de Vries,van den Berg,van Dijk,Bakker,Janssen,Visser,Smit,Meijer,de Boer,Mulder,"
        "de Groot,"
        "Bos,van der Meer,van 't Hoff,ter Horst,van der Waals,in 't Veld,Coenegracht",
        "Amsterdam/Noord-Holland/10## AB,Rotterdam/Zuid-Holland/30## CD,Den Haag/Zuid-Holland/25## EG,"
        "Utrecht/Utrecht/35## HK,Eindhoven/Noord-Brabant/56## LM,'s-Hertogenbosch/Noord-Brabant/52## NP",
        "Kerkstraat,Dorpsstraat,Prinsengracht,Schoolstraat,Laan van Meerdervoort,Molenweg",
        "NL",
        "Netherlands",
        "+316 x8",
        "Fietst overal heen.|Houdt van orde, en van appeltaart|Niet op vrijdag.",
    ),
    Place(
        "fr-FR",
        6,
        "Marie,Jean,Camille,Pierre,Léa,Nicolas,Chloé,Julien,Manon,François,Élodie,Thomas,Anaïs,Jérôme,"
        "Aurélie,"
        "Jean-Pierre,Anne-Sophie,Mathéo,Zoé,Benoît,Agnès,Loïc,Hélène,Gaël,Marie-Thérèse,Cédric,Noémie,Théo,"
        "Solène,"
        "Yannick",
        "Martin,Bernard,Dubois,Thomas,Robert,Richard,Petit,Durand,Leroy,Moreau,Simon,Laurent,Lefèvre,"
        "Michel,"
        "Garcia,David,Bertrand,Roux,Vincent,Fournier,Lemaître,Béranger,d'Aubigné,de La Tour,Le Gall,"
        "N'Diaye,"
        "Benaïssa,Saint-Exupéry,Châtelain,L'Hôpital",
        "Paris/Île-de-France/750##,Marseille/Provence-Alpes-Côte d'Azur/130##,"
        "Lyon/Auvergne-Rhône-Alpes/690##,"
        "Toulouse/Occitanie/310##,Nice/Provence-Alpes-Côte d'Azur/06###,Nantes/Pays de la Loire/440##,"
        "Bourg-en-Bresse/Auvergne-Rhône-Alpes/010##,Gap/Hautes-Alpes/050##,Saint-Étienne/Loire/420##,"
        "L'Haÿ-les-Roses/Île-de-France/94240",
        "rue de la République,rue Victor Hugo,avenue Jean-Jaurès,place de l'Église,rue du Moulin,"
        "boulevard Saint-Michel,impasse des Lilas,chemin des Écoles",
        "FR",
        "France",
        "+336,+337 x8",
        "J'aime le théâtre, la mer et les mots.|Déjà là hier|Bénévole à la SPA.|Œuvre en coulisses",
        street="{number} {street}",
        second_family=4,
    ),
    Place(
        "es-ES",
        5,
        _SPANISH_GIVEN,
        _SPANISH_FAMILY,
        "Madrid/Comunidad de Madrid/280##,Barcelona/Cataluña/080##,Valencia/Comunidad Valenciana/460##,"
        "Sevilla/Andalucía/410##,Málaga/Andalucía/290##,Vitoria-Gasteiz/País Vasco/010##,"
        "Alicante/Comunidad Valenciana/030##,Palma/Illes Balears/070##,A Coruña/Galicia/150##,"
        "Ávila/Castilla y León/050##",
        "Calle Mayor,Gran Vía,Avenida de la Constitución,Paseo de la Castellana,Calle del Carmen,"
        "Plaza de España,"
        "Calle Núñez de Balboa",
        "ES",
        "Spain",
        "+346,+347 x8",
        "Aprendiendo cada día.|¿Café? Sí, siempre|Montañera y madre.",
        second_family=70,
        family_joint=" ",
    ),
    Place(
        "es-MX",
        4,
        "Guadalupe,Juan Carlos,María Fernanda,Luis,Ximena,Alejandro,Valentina,Jorge,Regina,Diego,Camila,"
        "Emiliano,"
        "Renata,Santiago,Itzel,Citlali,Raúl,Verónica,Héctor,Mónica",
        "Hernández,García,Martínez,López,González,Pérez,Rodríguez,Sánchez,Ramírez,Cruz,Flores,Gómez,"
        "Morales,Vázquez,"
        "Reyes,Jiménez,Torres,Díaz,Gutiérrez,Ruiz,Mendoza,Aguilar,Ortiz,Tlacuilo,Xicoténcatl",
        "Ciudad de México/CDMX/06###,Guadalajara/Jalisco/44###,Monterrey/Nuevo León/64###,"
        "Puebla/Puebla/72###,"
        "Mérida/Yucatán/97###,Coyoacán/CDMX/04###",
        "Avenida Insurgentes Sur,Calle Hidalgo,Paseo de la Reforma,Avenida Juárez,Calzada de Tlalpan",
        "MX",
        "México",
        "+5255,+5233,+5281 x8",
        "Fan del fútbol y los tacos.|Siempre en línea|Chilanga.",
        second_family=60,
        family_joint=" ",
    ),
    Place(
        "es-AR",
        2,
        _SPANISH_GIVEN,
        "González,Rodríguez,Fernández,López,Gómez,Díaz,Romero,Sosa,Pereyra,Acosta,Benítez,Giménez,Rossi,"
        "Bianchi,"
        "Di Stéfano,Kirchner,Schwartzman,Messi,Ortiz de Rozas,Etcheverry",
        "Buenos Aires/CABA/C10##AAB,Córdoba/Córdoba/X50##,Rosario/Santa Fe/S20##,Mendoza/Mendoza/M55##",
        "Avenida Corrientes,Avenida 9 de Julio,Calle Florida,Bulevar Oroño,Calle San Martín",
        "AR",
        "Argentina",
        "+54911 x8",
        "Mate y código.|Hincha de Racing|Psicóloga, claro.",
    ),
    Place(
        "pt-BR",
        6,
        "Maria,José,Ana,João,Antônia,Antônio,Francisca,Carlos,Juliana,Paulo,Fernanda,Lucas,Patrícia,Luiz,"
        "Beatriz,"
        "Gabriel,Letícia,Rafael,Camila,Thiago,Vinícius,Conceição,Mateus,Luísa,Inácio,Tainá,Moacir,Flávia,"
        "Cauã,"
        "Zé Roberto",
        "da Silva,dos Santos,de Oliveira,Souza,Pereira,Lima,Carvalho,Ferreira,Rodrigues,Almeida,Costa,"
        "Gomes,Ribeiro,"
        "Martins,Araújo,Barbosa,Nascimento,Moreira,Gonçalves,Magalhães,Assunção,Simões,Yamamoto,Schmidt,"
        "Brandão",
        "São Paulo/SP/01310-###,Rio de Janeiro/RJ/20040-###,Brasília/DF/70040-###,Salvador/BA/40020-###,"
        "Fortaleza/CE/60025-###,Belo Horizonte/MG/30130-###,Santo André/SP/09010-###,Osasco/SP/06010-###,"
        "Curitiba/PR/80010-###,Florianópolis/SC/88010-###",
        "Avenida Paulista,Rua das Flores,Rua XV de Novembro,Avenida Atlântica,Rua São João,Praça da Sé,"
        "Rua Conceição",
        "BR",
        "Brasil",
        "+55119,+55219,+55319 x8",
        "Apaixonado por música.|Coração de mãe, mão na massa|Não tomo café.",
        street="{street}, {number}",
        second_family=30,
        family_joint=" ",
    ),
    Place(
        "it-IT",
        3,
        "Giuseppe,Maria,Giovanni,Giulia,Francesco,Chiara,Luca,Sofia,Alessandro,Martina,Matteo,Aurora,"
        "Niccolò,"
        "Benedetta,Gian Luca,Annamaria,Dario,Noemi,Pierluigi,Marìca",
        "Rossi,Russo,Ferrari,Esposito,Bianchi,Romano,Colombo,Ricci,Marino,Greco,Bruno,Gallo,Conti,De Luca,"
        "Mancini,"
        "D'Angelo,Lo Presti,Dell'Orto,Nicolò,Degli Esposti",
        "Roma/Lazio/001##,Milano/Lombardia/201##,Napoli/Campania/801##,Torino/Piemonte/101##,"
        "Cagliari/Sardegna/091##,"
        "Perugia/Umbria/061##,L'Aquila/Abruzzo/671##,Forlì/Emilia-Romagna/471##",
        "Via Roma,Via Garibaldi,Corso Vittorio Emanuele II,Piazza del Duomo,Via dell'Università",
        "IT",
        "Italy",
        "+393 x9",
        "Perché no?|Cucina, famiglia, montagna.|È sempre lunedì",
        street="{street}, {number}",
    ),
    Place(
        "sv-SE",
        2,
        "Erik,Anna,Lars,Maria,Karl,Margareta,Anders,Elisabeth,Johan,Eva,Åsa,Björn,Göran,Märta,Örjan,Linnéa,"
        "Håkan,"
        "Saga,Nils,Ann-Charlotte",
        "Andersson,Johansson,Karlsson,Nilsson,Eriksson,Larsson,Olsson,Persson,Svensson,Gustafsson,"
        "Lindström,Åkesson,"
        "Öberg,Sjöberg,Ekström,Björk,Hammarskjöld,Al-Hassan,Nyström,Löfgren",
        "Stockholm/Stockholms län/111 ##,Göteborg/Västra Götaland/411 ##,Malmö/Skåne/211 ##,"
        "Umeå/Västerbotten/903 ##,"
        "Örebro/Örebro län/702 ##",
        "Drottninggatan,Storgatan,Kungsgatan,Åsögatan,Skolvägen",
        "SE",
        "Sweden",
        "+467 x8",
        "Fika klockan tre.|Skidåkare, pappa|Älskar kartor.",
    ),
    Place(
        "nb-NO",
        1,
        "Jan,Anne,Per,Inger,Bjørn,Kari,Ole,Marit,Lars,Ingrid,Kjell,Åse,Øyvind,Solveig,Torbjørn,Gunnhild,"
        "Håvard,Ragnhild",
        "Hansen,Johansen,Olsen,Larsen,Andersen,Pedersen,Nilsen,Kristiansen,Jensen,Karlsen,Bakke,Haugen,"
        "Østby,Ødegård,"
        "Bråten,Sørlie,Kierkegaard,Moen",
        "Oslo/Oslo/01##,Bergen/Vestland/50##,Trondheim/Trøndelag/70##,Tromsø/Troms/90##,Bærum/Akershus/13##",
        "Karl Johans gate,Storgata,Kirkeveien,Bjørnstjerne Bjørnsons vei,Sjøgata",
        "NO",
        "Norway",
        "+474,+479 x7",
        "Ut på tur, aldri sur.|Fjord og fjell|Ikke i fellesferien.",
    ),
    Place(
        "fi-FI",
        1,
        "Juhani,Maria,Johannes,Helena,Olavi,Anneli,Antero,Johanna,Tapani,Kaarina,Kalevi,Päivi,Jyrki,"
        "Ritva-Liisa,Väinö,"
        "Aino,Yrjö,Tuulikki",
        "Korhonen,Virtanen,Mäkinen,Nieminen,Mäkelä,Hämäläinen,Laine,Heikkinen,Koskinen,Järvinen,Lehtonen,"
        "Lehtinen,"
        "Saarinen,Niemi,Salminen,Öhman,Sjöström,Ylönen",
        "Helsinki/Uusimaa/001##,Espoo/Uusimaa/021##,Vantaa/Uusimaa/013##,Tampere/Pirkanmaa/331##,"
        "Jyväskylä/Keski-Suomi/401##",
        "Mannerheimintie,Aleksanterinkatu,Hämeenkatu,Kirkkokatu,Mäkelänkatu",
        "FI",
        "Finland",
        "+35840,+35850 x7",
        "Sauna.|Hiljaa hyvä tulee|Mökillä heinäkuun.",
    ),
    Place(
        "pl-PL",
        2,
        "Anna,Katarzyna,Małgorzata,Agnieszka,Barbara,Ewa,Krystyna,Elżbieta,Zofia,Joanna,Łucja,Świętosława,"
        "Żaneta,Bożena",
        "Nowak,Kowalska,Wiśniewska,Wójcik,Kowalczyk,Kamińska,Lewandowska,Zielińska,Szymańska,Woźniak,"
        "Dąbrowska,"
        "Kozłowska,Jankowska,Mazur,Skłodowska-Curie,Błaszczykowska,Źrebiec",
        "Warszawa/Mazowieckie/00-0##,Kraków/Małopolskie/30-0##,Łódź/Łódzkie/90-0##,"
        "Wrocław/Dolnośląskie/50-0##,"
        "Poznań/Wielkopolskie/60-0##,Gdańsk/Pomorskie/80-0##,Siedlce/Mazowieckie/08-1##",
        "ul. Marszałkowska,ul. Piotrkowska,ul. Długa,Plac Wolności,ul. Świętokrzyska,al. Jerozolimskie",
        "PL",
        "Poland",
        "+485,+486,+487 x8",
        "Żyję z kodu.|Książki i rower|Zawsze pod telefonem.",
        second_family=5,
    ),
    Place(
        "pl-PL",
        2,
        "Piotr,Krzysztof,Andrzej,Tomasz,Jan,Paweł,Michał,Marcin,Stanisław,Jakub,Łukasz,Grzegorz,Wojciech,"
        "Zbigniew",
        "Nowak,Kowalski,Wiśniewski,Wójcik,Kowalczyk,Kamiński,Lewandowski,Zieliński,Szymański,Woźniak,"
        "Dąbrowski,"
        "Kozłowski,Jankowski,Mazur,Brzęczyszczykiewicz,Żuławski,Ślęzak",
        "Warszawa/Mazowieckie/00-1##,Kraków/Małopolskie/31-0##,Łódź/Łódzkie/91-0##,Katowice/Śląskie/40-0##,"
        "Ostrołęka/Mazowieckie/07-4##,Rzeszów/Podkarpackie/35-0##",
        "ul. Mickiewicza,ul. Polna,ul. Leśna,ul. Słoneczna,os. Złotego Wieku",
        "PL",
        "Poland",
        "+484,+488 x8",
        "Majsterkowicz.|Góry, narty, cisza|Szczęśliwy tata.",
    ),
    Place(
        "cs-CZ",
        2,
        "Jiří,Jana,Jan,Petr,Josef,Pavel,Martin,Tomáš,Jaroslav,Miroslav,Zdeněk,Václav,Ondřej,Řehoř,Kryštof,"
        "Luděk",
        "Novák,Svoboda,Novotný,Dvořák,Černý,Procházka,Kučera,Veselý,Horák,Němec,Pokorný,Marek,Pospíšil,"
        "Hájek,Růžička,"
        "Šťastný,Žižka,Řezníček",
        "Praha/Hlavní město Praha/110 ##,Brno/Jihomoravský kraj/602 ##,Ostrava/Moravskoslezský kraj/702 ##,"
        "Plzeň/Plzeňský kraj/301 ##,České Budějovice/Jihočeský kraj/370 ##",
        "Václavské náměstí,Národní třída,Žižkova,Husova,Na Příkopě",
        "CZ",
        "Czechia",
        "+4206,+4207 x8",
        "Čtenář a houbař.|Pivo po práci|Ťuk ťuk.",
    ),
    Place(
        "tr-TR",
        4,
        "Mehmet,Fatma,Mustafa,Ayşe,Ahmet,Emine,Ali,Hatice,Hüseyin,Zeynep,İbrahim,Elif,İsmail,Şerife,Çağla,"
        "Gökhan,"
        "Ömer,Işıl,Tuğçe,Ümit,Yağmur,İpek,Kıvanç,Ahmet Can",
        "Yılmaz,Kaya,Demir,Çelik,Şahin,Yıldız,Yıldırım,Öztürk,Aydın,Özdemir,Arslan,Doğan,Kılıç,Aslan,Çetin,"
        "Kara,Koç,"
        "Kurt,Özkan,Şimşek,Iğdır,Güneş,Ağaoğlu,Çakır",
        "İstanbul/Marmara/340##,Ankara/İç Anadolu/060##,İzmir/Ege/350##,Bursa/Marmara/160##,"
        "Adana/Akdeniz/010##,"
        "Antalya/Akdeniz/070##,Diyarbakır/Güneydoğu/210##,Iğdır/Doğu Anadolu/760##,"
        "Afyonkarahisar/Ege/030##",
        "Atatürk Caddesi,İstiklal Caddesi,Cumhuriyet Bulvarı,Bağdat Caddesi,Çiçek Sokak,"
        "Fatih Sultan Mehmet Cd.",
        "TR",
        "Türkiye",
        "+9053,+9054,+9055 x8",
        "Çay olmadan olmaz.|Işık, kamera, motor|Öğrenmeye devam.",
        street="{street} No: {number}",
    ),
    Place(
        "ru-RU",
        3,
        "Александр/aleksandr,Сергей/sergey,Дмитрий/dmitry,Андрей/andrey,Алексей/alexey,Максим/maxim,"
        "Евгений/evgeny,"
        "Иван/ivan,Михаил/mikhail,Артём/artyom,Пётр/pyotr,Юрий/yury,Фёдор/fyodor,Щукарь/shchukar,"
        "Эдуард/eduard",
        "Иванов/ivanov,Смирнов/smirnov,Кузнецов/kuznetsov,Попов/popov,Васильев/vasilyev,Петров/petrov,"
        "Соколов/sokolov,"
        "Михайлов/mikhaylov,Новиков/novikov,Фёдоров/fyodorov,Морозов/morozov,Волков/volkov,"
        "Алексеев/alekseev,"
        "Лебедев/lebedev,Достоевский/dostoevsky,Щербаков/shcherbakov,Йованович/yovanovich,"
        "Салтыков-Щедрин/saltykov",
        "Москва/Москва/1010##,Санкт-Петербург/Ленинградская область/1900##,Новосибирск/Сибирь/6300##,"
        "Екатеринбург/Свердловская область/6200##,Казань/Татарстан/4200##,"
        "Владивосток/Приморский край/6900##",
        "ул. Ленина,ул. Пушкина,Невский проспект,ул. Гагарина,Тверская ул.,пр. Мира",
        "RU",
        "Россия",
        "+7903,+7916,+7921 x7",
        "Люблю горы и книги.|Всё сложно|Кофе, код, кот.",
        street="{street}, д. {number}",
    ),
    Place(
        "ru-RU",
        3,
        "Елена/elena,Ольга/olga,Наталья/natalya,Екатерина/ekaterina,Анна/anna,Татьяна/tatyana,Мария/maria,"
        "Ирина/irina,"
        "Юлия/yulia,Светлана/svetlana,Дарья/darya,Анастасия/anastasia,Любовь/lyubov,Алёна/alyona",
        "Иванова/ivanova,Смирнова/smirnova,Кузнецова/kuznetsova,Попова/popova,Васильева/vasilyeva,"
        "Петрова/petrova,"
        "Соколова/sokolova,Михайлова/mikhaylova,Новикова/novikova,Фёдорова/fyodorova,Морозова/morozova,"
        "Чайковская/chaykovskaya,Ахматова/akhmatova,Щеглова/shcheglova",
        "Москва/Москва/1150##,Санкт-Петербург/Ленинградская область/1910##,"
        "Нижний Новгород/Нижегородская область/6030##,"
        "Самара/Самарская область/4430##,Омск/Омская область/6440##",
        "ул. Советская,Садовая ул.,ул. Чехова,Ленинский проспект,наб. реки Фонтанки",
        "RU",
        "Россия",
        "+7905,+7926,+7911 x7",
        "Танцую танго.|Мама двоих детей|Учусь рисовать.",
        street="{street}, д. {number}",
    ),
    Place(
        "el-GR",
        2,
        "Γιώργος/giorgos,Μαρία/maria,Γιάννης/giannis,Ελένη/eleni,Κώστας/kostas,Κατερίνα/katerina,"
        "Δημήτρης/dimitris,"
        "Βασιλική/vasiliki,Νίκος/nikos,Σοφία/sofia,Χρήστος/christos,Αγγελική/angeliki,Οδυσσέας/odysseas,"
        "Ψυχή/psychi",
        "Παπαδόπουλος/papadopoulos,Βλάχος/vlachos,Αγγελόπουλος/angelopoulos,Νικολαΐδης/nikolaidis,"
        "Γεωργίου/georgiou,"
        "Δημητρίου/dimitriou,Ιωάννου/ioannou,Καζαντζάκης/kazantzakis,Οικονόμου/oikonomou,Σεφέρης/seferis,"
        "Ξενάκης/xenakis",
        "Αθήνα/Αττική/105 ##,Θεσσαλονίκη/Μακεδονία/546 ##,Πάτρα/Αχαΐα/262 ##,Ηράκλειο/Κρήτη/712 ##,"
        "Πειραιάς/Αττική/185 ##",
        "Οδός Ερμού,Λεωφόρος Συγγρού,Πανεπιστημίου,Οδός Αριστοτέλους",
        "GR",
        "Greece",
        "+3069 x8",
        "Θάλασσα και ήλιος.|Καφές πρώτα|Ό,τι να 'ναι.",
    ),
    Place(
        "zh-CN",
        14,
        "伟/wei,芳/fang,娜/na,秀英/xiuying,敏/min,静/jing,丽/li,强/qiang,磊/lei,军/jun,洋/yang,勇/yong,"
        "艳/yan,杰/jie,娟/juan,"
        "涛/tao,明/ming,超/chao,秀兰/xiulan,霞/xia,平/ping,刚/gang,桂英/guiying,小明/xiaoming,子涵/zihan,"
        "梓轩/zixuan,浩然/haoran,"
        "雨桐/yutong,欣怡/xinyi,宇轩/yuxuan,思远/siyuan,婷婷/tingting,建国/jianguo,建华/jianhua,"
        "文静/wenjing,海燕/haiyan,志强/zhiqiang,"
        "晓东/xiaodong,雪梅/xuemei,佳怡/jiayi,一诺/yinuo,沐宸/muchen,若曦/ruoxi,天佑/tianyou,玉兰/yulan,"
        "中同学/zhongtongxue,"
        "博文/bowen,嘉豪/jiahao,诗涵/shihan,俊杰/junjie,凯/kai,鑫/xin,晨/chen,瑞/rui,琳/lin,璐/lu,倩/qian,"
        "颖/ying,薇/wei,峰/feng",
        "王/wang,李/li,张/zhang,刘/liu,陈/chen,杨/yang,黄/huang,赵/zhao,吴/wu,周/zhou,徐/xu,孙/sun,马/ma,"
        "朱/zhu,胡/hu,郭/guo,何/he,"
        "林/lin,罗/luo,高/gao,郑/zheng,梁/liang,谢/xie,宋/song,唐/tang,许/xu,韩/han,邓/deng,冯/feng,曹/cao,"
        "彭/peng,曾/zeng,肖/xiao,"
        "田/tian,董/dong,潘/pan,袁/yuan,蔡/cai,蒋/jiang,余/yu,于/yu,杜/du,叶/ye,程/cheng,魏/wei,苏/su,"
        "吕/lv,丁/ding,任/ren,沈/shen,"
        "欧阳/ouyang,司马/sima,诸葛/zhuge,上官/shangguan,单/shan,仇/qiu",
        _CHINESE_CITIES,
        _CHINESE_STREETS,
        "中国",
        "CN",
        "+86130,+86138,+86150,+86186 x8",
        "全栈开发者|热爱生活，热爱编程。|猫奴一枚🐱|在路上|终身学习者，业余摄影师。",
        order="{family}{given}",
        street="{street} {number} 号",
        departments=_CHINESE_DEPARTMENTS,
        titles=_CHINESE_TITLES,
    ),
    Place(
        "zh-TW",
        2,
        "淑芬/shufen,志明/zhiming,家豪/jiahao,怡君/yijun,雅婷/yating,俊宏/junhong,美玲/meiling,"
        "建宏/jianhong,宗翰/zonghan,詩涵/shihan,"
        "冠宇/guanyu,淑惠/shuhui,承恩/chengen,宜蓁/yizhen,麗華/lihua",
        "陳/chen,林/lin,黃/huang,張/zhang,李/li,王/wang,吳/wu,劉/liu,蔡/cai,楊/yang,許/xu,鄭/zheng,謝/xie,"
        "郭/guo,洪/hong,邱/qiu,曾/zeng,"
        "廖/liao,賴/lai,歐陽/ouyang",
        "臺北市/臺灣/1###0,新北市/臺灣/2###0,臺中市/臺灣/4###0,高雄市/臺灣/8###0,臺南市/臺灣/7###0",
        "忠孝東路,中正路,民生東路,仁愛路,復興南路,中山北路",
        "台灣",
        "TW",
        "+8869 x8",
        "喜歡爬山與咖啡。|努力不懈|貓派。",
        order="{family}{given}",
        street="{street}{number}號",
        departments="研發部,業務部,行銷部,客服部,財務部,人資部",
        titles="軟體工程師,專案經理,業務專員,設計師,實習生",
    ),
    Place(
        "ja-JP",
        6,
        "大翔/hiroto,蓮/ren,陽菜/hina,結衣/yui,翔太/shota,美咲/misaki,健太/kenta,さくら/sakura,太郎/taro,"
        "花子/hanako,拓也/takuya,"
        "直樹/naoki,恵子/keiko,由美子/yumiko,和子/kazuko,誠/makoto,ひなた/hinata,葵/aoi,悠真/yuma,凛/rin,"
        "つばさ/tsubasa,アンナ/anna,"
        "マリア/maria,隆/takashi,健一郎/kenichiro,千尋/chihiro,真理/mari,あゆみ/ayumi,海斗/kaito,"
        "桜子/sakurako",
        "佐藤/sato,鈴木/suzuki,高橋/takahashi,田中/tanaka,伊藤/ito,渡辺/watanabe,山本/yamamoto,"
        "中村/nakamura,小林/kobayashi,加藤/kato,"
        "吉田/yoshida,山田/yamada,佐々木/sasaki,山口/yamaguchi,松本/matsumoto,井上/inoue,木村/kimura,"
        "林/hayashi,斎藤/saito,齋藤/saito,"
        "清水/shimizu,山崎/yamazaki,森/mori,池田/ikeda,橋本/hashimoto,渡邊/watanabe,髙橋/takahashi,"
        "長谷川/hasegawa,五十嵐/igarashi,"
        "𠮷野/yoshino",
        "東京/東京都/100-00##,横浜/神奈川県/220-00##,大阪/大阪府/530-00##,札幌/北海道/060-00##,"
        "函館/北海道/040-00##,仙台/宮城県/980-00##,"
        "秋田/秋田県/010-00##,青森/青森県/030-00##,京都/京都府/600-80##,福岡/福岡県/810-00##,"
        "那覇/沖縄県/900-00##",
        "千代田一丁目,丸の内二丁目,本町,中央通,栄町,元町,銀座四丁目,桜ヶ丘,北一条西",
        "日本",
        "JP",
        "+8170,+8180,+8190 x8",
        "よろしくお願いします。|カメラと山が好き|エンジニア歴１０年",
        order="{family} {given}",
        street="{street}{number}番地",
        departments="開発部,営業部,総務部,人事部,経理部,企画部,カスタマーサポート",
        titles="エンジニア,営業担当,部長,課長,デザイナー,主任,インターン",
    ),
    Place(
        "ko-KR",
        4,
        "서준/seojun,민준/minjun,서연/seoyeon,지우/jiwoo,도윤/doyun,하은/haeun,예준/yejun,서윤/seoyun,"
        "지훈/jihoon,민서/minseo,현우/hyunwoo,"
        "수빈/subin,지영/jiyoung,영수/youngsoo,영희/younghee,미경/mikyung,성호/sungho,은지/eunji,"
        "동현/donghyun,빛나/bitna,하늘/haneul,준/jun",
        "김/kim,이/lee,박/park,최/choi,정/jung,강/kang,조/cho,윤/yoon,장/jang,임/lim,한/han,오/oh,서/seo,"
        "신/shin,권/kwon,황/hwang,안/ahn,송/song,"
        "류/ryu,홍/hong,남궁/namgung,제갈/jegal",
        "서울/서울특별시/030##,부산/부산광역시/480##,인천/인천광역시/215##,대구/대구광역시/419##,"
        "대전/대전광역시/350##,파주/경기도/108##,"
        "서울 강남/서울특별시/062##,제주/제주특별자치도/631##",
        "세종대로,강남대로,테헤란로,종로,올림픽로,해운대로,중앙로",
        "대한민국",
        "KR",
        "+8210 x8",
        "안녕하세요!|커피와 코드|여행을 좋아합니다.",
        order="{family}{given}",
        departments="개발팀,영업팀,마케팅팀,인사팀,재무팀,고객지원팀",
        titles="소프트웨어 엔지니어,팀장,대리,과장,디자이너,인턴",
    ),
    Place(
        "vi-VN",
        3,
        "Thị Hương,Văn Hùng,Minh Anh,Thanh Tùng,Thị Lan,Đức Anh,Thu Trang,Quốc Bảo,Thị Ngọc,Hoàng Nam,"
        "Thùy Linh,Văn Dũng,"
        "Hữu Phước,Mỹ Duyên,Đình Trọng,Kim Chi,Bảo Châu,Thị Tuyết,Ngọc Ánh,Công Vinh",
        "Nguyễn,Trần,Lê,Phạm,Hoàng,Huỳnh,Phan,Vũ,Võ,Đặng,Bùi,Đỗ,Hồ,Ngô,Dương,Lý,Đinh,Tôn Thất",
        "Hà Nội/Hà Nội/100##,Thành phố Hồ Chí Minh/Hồ Chí Minh/700##,Đà Nẵng/Đà Nẵng/550##,"
        "Huế/Thừa Thiên Huế/490##,"
        "Cần Thơ/Cần Thơ/900##,Lạng Sơn/Lạng Sơn/250##",
        "Đường Lê Lợi,Phố Hàng Bài,Đường Nguyễn Huệ,Đường Trần Hưng Đạo,Phố Tràng Tiền",
        "VN",
        "Việt Nam",
        "+8490,+8491,+8498 x7",
        "Yêu đời, yêu người.|Cà phê sữa đá|Lập trình viên.",
        order="{family} {given}",
        street="{number} {street}",
    ),
    Place(
        "hi-IN",
        3,
        "राहुल/rahul,प्रिया/priya,अमित/amit,अंजलि/anjali,विजय/vijay,सुनीता/sunita,संजय/sanjay,पूजा/pooja,"
        "राजेश/rajesh,नेहा/neha,"
        "आदित्य/aditya,कविता/kavita,श्रेया/shreya,कृष्ण/krishna,दीपक/deepak",
        "शर्मा/sharma,कुमार/kumar,सिंह/singh,वर्मा/verma,गुप्ता/gupta,यादव/yadav,मिश्रा/mishra,पटेल/patel,"
        "जोशी/joshi,चौधरी/chaudhary,"
        "त्रिपाठी/tripathi,अग्रवाल/agrawal",
        "नई दिल्ली/दिल्ली/1100##,मुंबई/महाराष्ट्र/4000##,जयपुर/राजस्थान/3020##,लखनऊ/उत्तर प्रदेश/2260##,"
        "वाराणसी/उत्तर प्रदेश/2210##",
        "महात्मा गांधी मार्ग,स्टेशन रोड,नेहरू नगर,राजपथ",
        "IN",
        "भारत",
        "+919,+918 x9",
        "नमस्ते!|चाय और कोड|क्रिकेट प्रेमी।",
    ),
    Place(
        "en-IN",
        5,
        "Aarav,Ananya,Arjun,Aishwarya,Rohan,Divya,Karthik,Lakshmi,Suresh,Meera,Vikram,Kavya,Rajesh,Sneha,"
        "Imran,Fatima,"
        "Gurpreet,Harleen,Venkatesh,Deepa,Nikhil,Shreya,Abdul,Manoj,Padma,Siddharth",
        "Kumar,Singh,Sharma,Patel,Reddy,Iyer,Nair,Gupta,Khan,Das,Rao,Menon,Chatterjee,Mukherjee,Kaur,"
        "Fernandes,D'Souza,"
        "Subramanian,Bhattacharya,Pillai,Naidu,Joshi,Venkataraghavan,S.,Hegde",
        "Mumbai/Maharashtra/4000##,Bengaluru/Karnataka/5600##,Chennai/Tamil Nadu/6000##,"
        "Hyderabad/Telangana/5000##,"
        "Kolkata/West Bengal/7000##,Pune/Maharashtra/4110##,Kochi/Kerala/6820##",
        "MG Road,Anna Salai,Brigade Road,Park Street,SV Road,Linking Road",
        "IN",
        "India",
        "+917,+916 x9",
        "Cricket, chai, C++|Loves filter coffee.|First-generation engineer",
        street="{number}, {street}",
        second_given=10,
    ),
    Place(
        "ar-EG",
        4,
        "محمد/mohamed,أحمد/ahmed,فاطمة/fatma,محمود/mahmoud,مريم/mariam,علي/ali,نور/nour,عمر/omar,سارة/sara,"
        "يوسف/youssef,"
        "ليلى/layla,خالد/khaled,هدى/hoda,إبراهيم/ibrahim,عائشة/aisha,عبد الرحمن/abdelrahman,ياسمين/yasmin",
        "حسن/hassan,إبراهيم/ibrahim,السيد/elsayed,عبد الله/abdallah,علي/ali,محمود/mahmoud,مصطفى/mostafa,"
        "خليل/khalil,"
        "المصري/elmasry,النجار/elnaggar,حداد/haddad,الشريف/elsherif,منصور/mansour,الخطيب/elkhatib",
        "القاهرة/القاهرة/115##,الإسكندرية/الإسكندرية/215##,الجيزة/الجيزة/125##,أسوان/أسوان/815##,"
        "المنصورة/الدقهلية/355##",
        "شارع التحرير,شارع رمسيس,شارع النيل,كورنيش النيل,شارع الجمهورية",
        "EG",
        "مصر",
        "+2010,+2011,+2012 x8",
        "أحب القراءة والسفر.|مهندس برمجيات|السلام عليكم",
        street="{number} {street}",
    ),
    Place(
        "he-IL",
        2,
        "נועה/noa,דוד/david,תמר/tamar,יוסף/yosef,מאיה/maya,משה/moshe,יעל/yael,אברהם/avraham,שרה/sara,"
        "דניאל/daniel,רות/ruth,"
        "איתי/itay,חנה/hana,בר/bar",
        "כהן/cohen,לוי/levi,מזרחי/mizrahi,פרץ/peretz,ביטון/biton,דהן/dahan,אברהם/avraham,פרידמן/friedman,"
        "מלכה/malka,בן-דוד/bendavid,"
        "שפירא/shapira,גולדברג/goldberg",
        "תל אביב/מחוז תל אביב/61###00,ירושלים/מחוז ירושלים/91###00,חיפה/מחוז חיפה/31###00,"
        "באר שבע/מחוז הדרום/84###00",
        "רחוב הרצל,שדרות רוטשילד,רחוב דיזנגוף,דרך יפו",
        "IL",
        "ישראל",
        "+9725 x8",
        "אוהבת ים וספרים.|מתכנת|שלום!",
    ),
)
