# ruff: noqa: E501 - tables of words in many scripts, whose widths differ
"""Words around quantities that tell what they are: markers of the answer, pages and steps, parts of the day, joints."""

from eval_pipeline.text_eval.scoring.quantities.folding import folded_words

_ANSWER_WORDS = (
    "answer|ans|result|output|उत्तर|जवाब|उत्तरं|उत्तर है|उत्तर आहे|জবাব|উত্তর|উত্তৰ|જવાબ|ઉત્તર|ਜਵਾਬ|ਉੱਤਰ|ଉତ୍ତର|பதில்|விடை|సమాధానం|జవాబు|ಉತ್ತರ|ഉത്തരം|جواب|jibu"
    "|परिणाम|जवाफ|નિષ્કર્ષ|પરિણામ|ଫଳ|respuesta|resultado|réponse|reponse|résultat|resposta|最终答案|最終答案|最終答え|最終回答|答案|答え|答|回答|正解|정답|답변|답|الجواب|الإجابة|الاجابة|النتيجة|پاسخ"
    "|antwort|ergebnis|ответ|результат|jawaban|jawapan|hasil|cevap|sonuç|đáp án|trả lời|kết quả|risposta|risultato|final"
)
_FINAL_WORDS = (
    "صحیح|درست|آخری|final|the final|the|my|अतः|इसलिए|therefore,?|hence,?|thus,?|so,?|your|so the|अंतिम|अन्तिम|आखिरी|सही|कुल|अंतिम सही|शेवटचे|চূড়ান্ত|শেষ|সঠিক|અંતિમ|ਅੰਤਿਮ|ଶେଷ|இறுதி|చివరి|తుది|ಅಂತಿಮ|അന്തിമ|حتمی|la|la bonne|le"
    "|a|sahihi|endgültige|die endgültige|richtige|итоговый|окончательный|правильный|la respuesta|最终|最終|최종"
)
_BEHIND_ANSWER_WORDS = (
    "final|finale|finali|akhir|la mwisho|sahihi|definitiva|definitive|النهائية|النهائي|है|आहे|হল|হলো|છે|is"
)
ANSWER_WORDS, FINAL_WORDS, BEHIND_ANSWER_WORDS = (
    words.replace(" ", r"[ ]") for words in (_ANSWER_WORDS, _FINAL_WORDS, _BEHIND_ANSWER_WORDS)
)
"""As a verbose pattern takes them, in which a bare space is none."""
SENTENCE_MARKERS = (
    r"\b(?:respuesta(?:\sfinal|\scorrecta)?\ses|réponse(?:\sfinale)?\sest|resposta(?:\sfinal|\scerta)?\sé|jibu(?:\sla\smwisho|\ssahihi)?\sni"
    r"|antwort\s(?:ist|lautet)|risposta\sè|jawaban(?:nya)?\sadalah)\b"
    r"|(?:उत्तर|जवाब)\s(?:है|होगा)|(?:अंतिम|सही)\s(?:उत्तर|जवाब)(?=\s[₹$]?\d[\d.,]*\s(?:है|हैं|होगा))|उत्तर\sआहे|उत्तर(?=\s[₹$]?\d[\d.,]*\sआहे)"
    r"|উত্তর\s(?:হল|হলো)|答案是|答案为|答案為|答えは|정답은|답은"
)
"""Markers within a sentence, right before the number."""
WORDS_OF_SENTENCE_MARKERS = (
    "respuesta", "réponse", "resposta", "jibu", "antwort", "risposta", "jawaban", "उत्तर", "जवाब", "উত্তর", "答", "답은"
)  # fmt: skip
"""One of them is in a text that has such a marker."""
LABELS = folded_words(
    "page pages p pp pg section sections sec § fig figure table tab chapter chapters ch footnote note ref reference source"
    " annex annexure appendix step steps version question q part item no number clause rule article art para paragraph line"
    " day_ phase round option slide page_no पृष्ठ पेज पन्ना धारा अनुच्छेद अध्याय तालिका चरण स्रोत सन्दर्भ संदर्भ प्रश्न पान पृष्ठे कलम"
    " পৃষ্ঠা ধারা অধ্যায় ধাপ প্রশ্ন পাতা પાનું પૃષ્ઠ કલમ પગલું ਪੰਨਾ ਕਦਮ பக்கம் பிரிவு படி పేజీ దశ సెక్షన్ ಪುಟ ಹಂತ പേജ് ഘട്ടം"
    " seite siehe_ tabelle kapitel halaman bab стр страница trang sayfa pagina tabella صفحة صفحه المرحلة"
    " صفحہ مرحلہ ukurasa hatua sehemu página pagina paso sección etapa étape capítulo passo seção secção version"
)
SOURCE_LINES = (
    "sources?|refs?|references?|citations?|footnotes?|bibliography|see also|स्रोत|सन्दर्भ|संदर्भ|উৎস|সূত্র|સ્ત્રોત|ਸਰੋਤ|ஆதாரம்|మూలం|ಮೂಲ|ഉറവിടം|حوالہ|chanzo"
    "|fuentes?|fontes?|quellen?|sumber|источники?|المصدر|المصادر"
)
CONFIDENCE_LINES = (
    "confidence(?: (?:score|level))?|certainty|विश्वास स्तर|विश्वसनीयता|आत्मविश्वास|confianza|confiance|konfidenz"
)
"""How sure a model says it is, which is no part of what it says."""
MORNING = folded_words("am सुबह प्रातः सकाळी সকাল সকাল সকালে સવારે ਸਵੇਰੇ காலை ఉదయం ಬೆಳಿಗ್ಗೆ രാവിലെ صبح asubuhi ପୂର୍ବାହ୍ନ")
AFTERNOON = folded_words(
    "pm दोपहर शाम सायं दुपारी संध्याकाळी বিকাল বিকেল বিকালে সন্ধ্যা সন্ধ্যায় દોપહર બપોરે સાંજે ਦੁਪਹਿਰ ਸ਼ਾਮ மாலை பிற்பகல் సాయంత్రం"
    " మధ్యాహ్నం ಸಂಜೆ ಮಧ್ಯಾಹ್ನ വൈകിട്ട് ഉച്ചയ്ക്ക് شام دوپہر jioni mchana"
)
NIGHT = folded_words("रात रात्री রাত রাতে રાત્રે ਰਾਤ இரவு రాత్రి ರಾತ್ರಿ രാത്രി رات usiku")
ENGLISH_DAY_PARTS = {"morning": "am", "afternoon": "pm", "evening": "pm"}
CLOCK_WORDS = folded_words("बजे बजकर baje o'clock oclock वाजता વાગ્યે ਵਜੇ بجے മണിക്ക് ಗಂಟೆಗೆ గంటలకు মণিক uhr heures_ টায়")
RANGE_WORDS = folded_words(
    "to till until through upto up_to से ते থেকে থেকে થી ਤੋਂ ରୁ سے முதல் నుండి నుంచి ರಿಂದ മുതൽ hadi hasta a à até"
)
OPENING_RANGE = folded_words("between बीच entre kati")
AND_WORDS = folded_words("and or & और या तथा एवं व आणि किंवा र ও এবং বা আৰু অને અને ਅਤੇ ਜਾਂ ଏବଂ மற்றும் அல்லது మరియు లేదా ಮತ್ತು ಅಥವಾ ഒപ്പം അല്ലെങ്കിൽ"
    " اور یا na au y e o et ou u"
)  # fmt: skip
OR_WORDS = folded_words("or या किंवा বা ਜਾਂ அல்லது లేదా ಅಥವಾ അല്ലെങ്കിൽ یا au o ou u")
ABOUT_WORDS = folded_words(
    "about approximately approx around roughly nearly almost some only just exactly लगभग करीब तकरीबन केवल सिर्फ प्रायः प्राय আনুমানিক"
    " লগભગ લગભગ ਲਗਭਗ تقریبا kama takriban aproximadamente unos cerca environ usd inr rs is है equals equal"
)
MINUS_WORDS = folded_words(
    "minus negative ऋणात्मक माइनस मायनस उणे মাইনাস ঋণাত্মক માઇનસ ઋણ ਮਨਫ਼ੀ ਮਾਈਨਸ மைனஸ் மைனசு మైనస్ ಮೈನಸ್ മൈനസ് مائنس منفی menos moins hasi"
)
"""Not ऋण, which is a loan: "ऋण 7 लाख"."""
YEARS_OF = folded_words("de of del सन् सन साल")
ANSWER_KEYS = (
    "final_answer",
    "answer",
    "result",
    "value",
    "output",
    "उत्तर",
    "जवाब",
    "अंतिम उत्तर",
    "respuesta",
    "réponse",
    "resposta",
    "jibu",
)
AVAILABLE_HOURS = frozenset({24, 7})
"""Call 1098, open 24 hours, 7 days a week."""
NO_NOUNS = (
    AND_WORDS
    | RANGE_WORDS
    | ABOUT_WORDS
    | CLOCK_WORDS
    | folded_words(
        "for with from on in at by of was are to so because than if when the each left more per every therefore since this that it he she they you we has"
        " have had out which who but not before after within because then also only more less के की का में को है हैं तक पर ने भी हो था थे"
        " और चाहिए ही का की बार que con en por pour avec dans sur da do dos das em para"
    )
)
"""Words behind a number that say nothing of what it counts."""
