"""What somebody may type into a search box to harm it, or by accident."""

WORST = [
    "w", "W", "é", "*", "-", "ß", "İ", "ﷺ", "㍿", "張", "あ", "ー", "々", "김", "ا", "ש", "wolfsgruber",
    "wolfsgruber wolfsgruber", "wolfsgruber hannelore rosenheim", "w h r", "and", "the of and",
    "wolfsgruber " * 10, "w " * 10, "hannelore wolfsgruber rosenheim third odd crowd w h r l",
    "a b c d e f g h i j", "a.b.c.d.e.f.g.h.i.j.k", "张 " * 20, "x " * 100, "a:" * 100,
    "dr hannelore xaver maria wolfsgruber rosenheim third zzyzx q x",
    "aa bb cc dd ee ff gg hh ii jj", "w" * 200, "张" * 200, "あ" * 200,
    "1" * 200, "wolfsgruber" * 18, "é" * 200, "'" * 200, '"' * 199, "😀", "😀😀😀",
    "👨‍👩‍👧‍👦 wolfsgruber", "🇩🇪", "\u200b", "\u202ewolfsgruber", "\ufeff", "\u00ad", "\ufffd",
    "\uffff", "\U0010ffff", "\u0301", ".*", "^w", "(a+)+$", "[", "\\", "\\p{L}", "w.*r",
    "/wolfsgruber/i", "(?i)w", "$where", "$ne", "$", "$regex:.*", '{"$gt":""}',
    '{"$where": "sleep(1000)"}', "';--", "' OR 1=1", "${jndi:ldap://x}", "{{7*7}}", "<script>",
    "../../etc", "nwolfsgruber", "&hannelore wolfsgruber", "+wolfsgruber lech", "search.t:x", "_id:x",
    "password_hash:x", "name:", "city:city:", "phone:", "phone:abc", "email:@", "@", "@@", "@crowd",
    "@crowd.example", "w@crowd@example", "a@b", "w1@" + "x" * 190, "+", "00", "000", "0", "+0", "12",
    "123", "phone:1", "phone:12 wolfsgruber", "Вольфсgrubер", "wolfs张gruber", "wolfsあ김ה",
    "שלום wolfsgruber", "مرحبا", "אברהם יצחק", "ｗｏｌｆｓ", "ａ", "𝔀𝓸𝓵𝓯𝓼", "Ⅷ", "½", "١٢٣", "๑๒๓",
    "\t", "\n", " ", "", '"', '""', '"wolfsgruber', 'wolfsgruber"', '" "', 'name:"', 'name:""',
    "“wolfsgruber„",
]  # fmt: skip
