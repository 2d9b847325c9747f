// The names of Unicode's properties and general categories, after the Unicode Character Database's
// PropertyAliases.txt and PropertyValueAliases.txt, normalized.

extension UnicodeProperties {
  /// A name as names are compared: letter case, spaces, hyphens, underscores and a leading `is`
  /// do not count (Unicode Standard Annex 44, rule LM3).
  static func normalized(_ name: String) -> String {
    var letters: [UInt8] = []
    for byte in name.utf8 where byte < 0x80 && !" _-".utf8.contains(byte) {
      letters.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
    }
    // The prefix counts only where it was written as one. `isc` is a property's own name.
    let prefix = name.utf8.prefix(2).map { $0 | 0x20 }
    if prefix == Array("is".utf8) && letters != Array("isc".utf8) { letters.removeFirst(2) }
    return String(decoding: letters, as: UTF8.self)
  }

  static let booleanProperties: [String: @Sendable (Properties) -> Bool] = {
    var byName: [String: @Sendable (Properties) -> Bool] = [:]
    for (names, predicate) in namedPredicates {
      for name in names.split(separator: " ") { byName[String(name)] = predicate }
    }
    return byName
  }()

  private static let namedPredicates: [(names: String, @Sendable (Properties) -> Bool)] = [
    ("ahex asciihexdigit", { $0.isASCIIHexDigit }),
    ("alpha alphabetic", { $0.isAlphabetic }),
    ("bidic bidicontrol", { $0.isBidiControl }),
    ("bidim bidimirrored", { $0.isBidiMirrored }),
    ("cased", { $0.isCased }),
    ("ci caseignorable", { $0.isCaseIgnorable }),
    ("cwcf changeswhencasefolded", { $0.changesWhenCaseFolded }),
    ("cwcm changeswhencasemapped", { $0.changesWhenCaseMapped }),
    ("cwl changeswhenlowercased", { $0.changesWhenLowercased }),
    ("cwt changeswhentitlecased", { $0.changesWhenTitlecased }),
    ("cwu changeswhenuppercased", { $0.changesWhenUppercased }),
    ("dash", { $0.isDash }),
    ("dep deprecated", { $0.isDeprecated }),
    ("di defaultignorablecodepoint", { $0.isDefaultIgnorableCodePoint }),
    ("dia diacritic", { $0.isDiacritic }),
    ("ebase emojimodifierbase", { $0.isEmojiModifierBase }),
    ("emod emojimodifier", { $0.isEmojiModifier }),
    ("emoji", { $0.isEmoji }),
    ("epres emojipresentation", { $0.isEmojiPresentation }),
    ("ext extender", { $0.isExtender }),
    ("grbase graphemebase", { $0.isGraphemeBase }),
    ("grext graphemeextend", { $0.isGraphemeExtend }),
    ("hex hexdigit", { $0.isHexDigit }),
    ("idc idcontinue", { $0.isIDContinue }),
    ("ideo ideographic", { $0.isIdeographic }),
    ("ids idstart", { $0.isIDStart }),
    ("idsb idsbinaryoperator", { $0.isIDSBinaryOperator }),
    ("idst idstrinaryoperator", { $0.isIDSTrinaryOperator }),
    ("joinc joincontrol", { $0.isJoinControl }),
    ("loe logicalorderexception", { $0.isLogicalOrderException }),
    ("lower lowercase", { $0.isLowercase }),
    ("math", { $0.isMath }),
    ("nchar noncharactercodepoint", { $0.isNoncharacterCodePoint }),
    ("patsyn patternsyntax", { $0.isPatternSyntax }),
    ("patws patternwhitespace", { $0.isPatternWhitespace }),
    ("qmark quotationmark", { $0.isQuotationMark }),
    ("radical", { $0.isRadical }),
    ("sd softdotted", { $0.isSoftDotted }),
    ("sterm sentenceterminal", { $0.isSentenceTerminal }),
    ("term terminalpunctuation", { $0.isTerminalPunctuation }),
    ("uideo unifiedideograph", { $0.isUnifiedIdeograph }),
    ("upper uppercase", { $0.isUppercase }),
    ("vs variationselector", { $0.isVariationSelector }),
    ("space whitespace wspace", { $0.isWhitespace }),
    ("xidc xidcontinue", { $0.isXIDContinue }),
    ("xids xidstart", { $0.isXIDStart }),
  ]

  /// Boolean properties of the `regex` crate that the standard library has no table for.
  static let unsupportedBooleanProperties = Set(
    """
    ecomp emojicomponent extpict extendedpictographic grlink graphemelink hyphen
    idcompatmathcontinue idcompatmathstart idsu idsunaryoperator mcm modifiercombiningmark oalpha
    otheralphabetic odi otherdefaultignorablecodepoint ogrext othergraphemeextend oidc
    otheridcontinue oids otheridstart olower otherlowercase omath othermath oupper otheruppercase
    pcm prependedconcatenationmark ri regionalindicator
    """.split(whereSeparator: \.isWhitespace).map(String.init))

  /// Properties of more than two values that the `regex` crate has and this engine has not.
  static let unsupportedValueProperties: Set<String> = [
    "gcb", "graphemeclusterbreak", "sb", "sentencebreak", "wb", "wordbreak",
  ]

  /// General categories and scripts that no scalar has. The `regex` crate knows their names and
  /// finds nothing behind them.
  static let emptyValues: Set<String> = [
    "cs", "surrogate", "zzzz", "unknown", "hrkt", "katakanaorhiragana",
  ]

  /// Names of properties for which no value is ever found.
  static let valuelessProperties = Set(
    """
    bc bidiclass blk block bmg bidimirroringglyph bpb bidipairedbracket bpt bidipairedbrackettype
    casefolding ccc canonicalcombiningclass ce cf cjkaccountingnumeric cjkcompatibilityvariant
    cjkiicore cjkirggsource cjkirghsource cjkirgjsource cjkirgkpsource cjkirgksource cjkirgmsource
    cjkirgssource cjkirgtsource cjkirguksource cjkirgusource cjkirgvsource cjkothernumeric
    cjkprimarynumeric cjkrsunicode compex compositionexclusion cwkcf changeswhennfkccasefolded
    decompositionmapping decompositiontype dm dt ea eastasianwidth equideo
    equivalentunifiedideograph expandsonnfc expandsonnfd expandsonnfkc expandsonnfkd fcnfkc
    fcnfkcclosure fullcompositionexclusion hangulsyllabletype hst incb indicconjunctbreak
    indicpositionalcategory indicsyllabiccategory inpc insc isc isocomment jamoshortname jg
    joininggroup joiningtype jsn jt kaccountingnumeric kcompatibilityvariant kiicore
    kothernumeric kprimarynumeric krsunicode lb lc linebreak lowercasemapping na na1 name namealias
    nfcqc nfcquickcheck nfdqc nfdquickcheck nfkccasefold nfkccf nfkcqc nfkcquickcheck nfkcscf
    nfkcsimplecasefold nfkdqc nfkdquickcheck nt numerictype numericvalue nv scf sfc
    simplecasefolding simplelowercasemapping simpletitlecasemapping simpleuppercasemapping slc stc
    suc tc titlecasemapping uc unicode1name unicoderadicalstroke uppercasemapping urs
    verticalorientation vo xonfc xonfd xonfkc xonfkd
    """.split(whereSeparator: \.isWhitespace).map(String.init))

  /// The general categories behind each name of one or of a group of them.
  static let categoryMembers: [String: [Unicode.GeneralCategory]] = {
    var byName: [String: [Unicode.GeneralCategory]] = [:]
    for (names, members) in namedCategories {
      for name in names.split(separator: " ") { byName[String(name)] = members }
    }
    return byName
  }()

  private static let namedCategories: [(names: String, [Unicode.GeneralCategory])] = [
    ("l letter", letters),
    ("lc casedletter", [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter]),
    ("lu uppercaseletter", [.uppercaseLetter]),
    ("ll lowercaseletter", [.lowercaseLetter]),
    ("lt titlecaseletter", [.titlecaseLetter]),
    ("lm modifierletter", [.modifierLetter]),
    ("lo otherletter", [.otherLetter]),
    ("m mark combiningmark", [.nonspacingMark, .spacingMark, .enclosingMark]),
    ("mn nonspacingmark", [.nonspacingMark]),
    ("mc spacingmark", [.spacingMark]),
    ("me enclosingmark", [.enclosingMark]),
    ("n number", [.decimalNumber, .letterNumber, .otherNumber]),
    ("nd decimalnumber digit", [.decimalNumber]),
    ("nl letternumber", [.letterNumber]),
    ("no othernumber", [.otherNumber]),
    ("p punctuation punct", punctuation),
    ("pc connectorpunctuation", [.connectorPunctuation]),
    ("pd dashpunctuation", [.dashPunctuation]),
    ("ps openpunctuation", [.openPunctuation]),
    ("pe closepunctuation", [.closePunctuation]),
    ("pi initialpunctuation", [.initialPunctuation]),
    ("pf finalpunctuation", [.finalPunctuation]),
    ("po otherpunctuation", [.otherPunctuation]),
    ("s symbol", [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]),
    ("sm mathsymbol", [.mathSymbol]),
    ("sc currencysymbol", [.currencySymbol]),
    ("sk modifiersymbol", [.modifierSymbol]),
    ("so othersymbol", [.otherSymbol]),
    ("z separator", [.spaceSeparator, .lineSeparator, .paragraphSeparator]),
    ("zs spaceseparator", [.spaceSeparator]),
    ("zl lineseparator", [.lineSeparator]),
    ("zp paragraphseparator", [.paragraphSeparator]),
    ("c other", [.control, .format, .privateUse, .unassigned]),
    ("cc control cntrl", [.control]),
    ("cf format", [.format]),
    ("co privateuse", [.privateUse]),
    ("cn unassigned", [.unassigned]),
  ]

  private static let letters: [Unicode.GeneralCategory] = [
    .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
  ]

  private static let punctuation: [Unicode.GeneralCategory] = [
    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
    .initialPunctuation, .finalPunctuation, .otherPunctuation,
  ]
}
