package main

// A block is a run of code points whose characters become entries.
type block struct {
	first, last rune
	name        string
	pieces      bool // letters and digits, which also get a ## form
}

// blocks lists code points and not Unicode categories, so that a new version
// of Unicode changes nothing. Upper case is absent, and so are the combining
// marks (Mn) that an uncased tokenizer strips.
var blocks = []block{
	{'!', '/', "ASCII", false}, {'0', '9', "ASCII", true}, {':', '@', "ASCII", false}, {'[', '`', "ASCII", false}, {'a', 'z', "ASCII", true}, {'{', '~', "ASCII", false},
	{0xA1, 0xAC, "Latin-1 signs", false}, {0xAE, 0xBF, "Latin-1 signs", false}, {0xD7, 0xD7, "times", false}, {0xF7, 0xF7, "divide", false},
	{0xDF, 0xF6, "Latin-1 letters", true}, {0xF8, 0xFF, "Latin-1 letters", true},
	{0x250, 0x2AF, "IPA", true}, {0x2B0, 0x2B8, "modifier letters", true},
	{0x3AC, 0x3CE, "Greek", true}, {0x430, 0x45F, "Cyrillic", true}, {0x561, 0x586, "Armenian", true}, {0x10D0, 0x10F0, "Georgian", true},
	{0x5BE, 0x5BE, "Hebrew point", false}, {0x5D0, 0x5EA, "Hebrew", true},
	{0x60C, 0x60C, "Arabic comma", false}, {0x61F, 0x61F, "Arabic question mark", false}, {0x621, 0x63A, "Arabic", true}, {0x640, 0x64A, "Arabic", true},
	{0x660, 0x669, "Arabic digits", true}, {0x671, 0x671, "Arabic", true}, {0x67E, 0x67E, "Persian", true}, {0x686, 0x686, "Persian", true}, {0x6A9, 0x6A9, "Persian", true},
	{0x6AF, 0x6AF, "Persian", true}, {0x6CC, 0x6CC, "Persian", true}, {0x6F0, 0x6F9, "Persian digits", true},
	{0x905, 0x914, "Devanagari", true}, {0x915, 0x939, "Devanagari", true}, {0x93E, 0x940, "Devanagari", true}, {0x949, 0x94C, "Devanagari", true}, {0x964, 0x965, "danda", false}, {0x966, 0x96F, "Devanagari digits", true},
	{0x985, 0x98C, "Bengali", true}, {0x993, 0x9A8, "Bengali", true}, {0x9AA, 0x9B0, "Bengali", true}, {0x9B6, 0x9B9, "Bengali", true}, {0x9BE, 0x9C0, "Bengali", true},
	{0xB85, 0xB8A, "Tamil", true}, {0xBAE, 0xBB9, "Tamil", true}, {0xBBE, 0xBBF, "Tamil", true},
	{0xE01, 0xE30, "Thai", true}, {0xE32, 0xE33, "Thai", true}, {0xE40, 0xE46, "Thai", true}, {0xE50, 0xE59, "Thai digits", true},
	{0x1100, 0x1112, "Hangul jamo, leading", true}, {0x1161, 0x1175, "Hangul jamo, vowels", true}, {0x11A8, 0x11C2, "Hangul jamo, trailing", true},
	{0x2010, 0x2027, "general punctuation", false}, {0x2030, 0x203E, "general punctuation", false}, {0x2044, 0x2044, "fraction slash", false},
	{0x2070, 0x2071, "superscripts", true}, {0x2074, 0x208E, "superscripts and subscripts", true}, {0x20A0, 0x20BF, "currency", false},
	{0x2103, 0x2103, "degrees Celsius", false}, {0x2116, 0x2116, "numero", false}, {0x2122, 0x2122, "trade mark", false}, {0x2150, 0x215F, "fractions", false},
	{0x2190, 0x21A9, "arrows", false}, {0x21D0, 0x21D5, "double arrows", false}, {0x2200, 0x224B, "mathematics", false}, {0x2260, 0x2267, "mathematics", false}, {0x2282, 0x228B, "mathematics", false},
	{0x2460, 0x2469, "circled digits", true}, {0x2500, 0x2503, "box drawing", false}, {0x25A0, 0x25A1, "shapes", false}, {0x25B2, 0x25BD, "shapes", false}, {0x25CB, 0x25CF, "shapes", false},
	{0x2600, 0x2606, "symbols", false}, {0x2660, 0x266F, "symbols", false}, {0x2713, 0x2717, "ticks", false},
	{0x3001, 0x3003, "CJK punctuation", false}, {0x3008, 0x3011, "CJK brackets", false}, {0x3041, 0x3096, "Hiragana", true}, {0x30A1, 0x30FA, "Katakana", true}, {0x30FB, 0x30FB, "middle dot", false}, {0x30FC, 0x30FC, "long vowel", true},
	{0xFF01, 0xFF0F, "full-width signs", false}, {0xFF10, 0xFF19, "full-width digits", true}, {0xFF1A, 0xFF20, "full-width signs", false}, {0xFF41, 0xFF5A, "full-width letters", true},
	{0x1F600, 0x1F60F, "faces", false},
}

// latin is the Latin letters of Extended-A that cased models, and uncased
// ones that keep accents, meet.
const latin = "āăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıĵķĺļľłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżžſƒơưșțəạảấầẩậắằặẹẻẽếềểễệỉịọỏốồổộớờởợụủứừữựỳỹ"

// ideographs is common Chinese characters by subject; a comb over the whole
// block of unified ideographs makes up the number.
const ideographs = "一二三四五六七八九十百千万零年月日时分秒今明昨天早晚上下左右前后内外中东西南北大小多少长短高低新旧好坏" +
	"人男女父母子儿兄弟姐妹朋友老师学生医工农民国家城市村路街门窗房屋室山水河海江湖火土木石金风雨雪云电光空气" +
	"我你他她它们的是不了在有和就也都这那个之与为以而于其所者来去到从向对把被让给说话语言文字书报读写听看见问答知道" +
	"想要能可会应该用做作成开关出入进回过起走跑飞坐立站住行动车船飞机站场店商买卖钱价值经济政治法律历史地理科技数学" +
	"物化生命身体心手足头目口耳鼻血病药食饭菜肉鱼鸟马牛羊狗猫花草树果米茶酒糖盐红黄蓝绿白黑色美丽快慢强弱轻重冷热" +
	"爱喜怒哀乐思意义情感信任真假公平自由民主权利战争和平军队世界社会文化艺术音乐电影运动体育教育研究发展改变问题" +
	"方法原因结果影响关系系统程序网络软件数据信息计算机手机使时間東車長門見學國會來個們這說對開電氣馬鳥魚龍廣業產書寫讀語話請謝"

// combStep spaces the comb: 0x4E00, 0x4E0E, ... 0x9FFF is 1,500 characters.
const combStep = 14

// characters returns the single characters in the order of the blocks, and
// the ## forms of those that are letters or digits.
func characters() (single, pieces []string) {
	for _, b := range blocks {
		for r := b.first; r <= b.last; r++ {
			single = append(single, string(r))
			if b.pieces {
				pieces = append(pieces, "##"+string(r))
			}
		}
	}
	for _, r := range latin {
		single = append(single, string(r))
		pieces = append(pieces, "##"+string(r))
	}
	for _, r := range ideographs {
		single = append(single, string(r))
	}
	for r := rune(0x4E00); r <= 0x9FFF; r += combStep {
		single = append(single, string(r))
	}
	return single, pieces
}
