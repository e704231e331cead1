# ruff: noqa: RUF001 - letters of many languages
"""The words of which markers consist, by language: what is heard besides speech, what could not be understood.

A marker is made of these words alone, at least one of them a noise or what was not understood; the words around them
("in the background") make none. Compared after case and spelling were folded.
"""

from collections.abc import Mapping

NOISES: Mapping[str, str] = {
    "en": "noise noises noisy music laughter laughing laughs laugh chuckle chuckles chuckling giggle giggles giggling"
    " applause applauding clapping claps cheering cheers silence silent pause cough coughs coughing sneeze sneezes"
    " sneezing sniff sniffs sniffing sniffle sniffling sigh sighs sighing breath breaths breathing breathes inhale"
    " inhales exhale exhales gasp gasps gasping groan groans moans crying cries sob sobs sobbing whimpers yawn yawns"
    " yawning hiccup hiccups burp throat lipsmack smack smacks click clicks clicking beep beeps beeping ring rings"
    " ringing ringtone static hum hums humming buzz buzzing bell bells siren sirens horn honking barking barks traffic"
    " wind footsteps knock knocks knocking slam slams chatter chattering babble chirping rustling typing background"
    " blank hesitation filler nospeech screaming screams shouting whistle whistles whistling singing",
    "hi": "शोर शोरगुल संगीत हंसी हंसना हंसते ठहाका ठहाके ताली तालियां खामोशी मौन सन्नाटा चुप्पी विराम खांसी खांसना खांसते छींक"
    " सांस आह सिसकी सिसकियां रोना रोने घंटी बीप हॉर्न फुसफुसाहट म्यूजिक नॉइज नॉयज साइलेंस लाफ्टर"
    " भौंक भौंकना भौंकने रो",
    "hi-Latn": "shor shorgul sangeet hansi hasi taali taaliyan khamoshi khansi saans",
    "mr": "गोंगाट गोंधळ हशा हास्य हसणे हसतो हसतात टाळ्या शांतता खोकला खोकतो शिंक श्वास रडणे पार्श्वसंगीत",
    "ne": "हल्ला हांसो ताली खोकी",
    "bn": "গোলমাল কোলাহল নয়েজ সঙ্গীত সংগীত মিউজিক বাজনা হাসি হাসির হাসে হাততালি করতালি নীরবতা নিরবতা নিস্তব্ধতা বিরতি কাশি"
    " হাঁচি শ্বাস দীর্ঘশ্বাস কান্না",
    "as": "হাঁহি কোলাহল নিস্তব্ধতা কাহ",
    "ta": "சத்தம் இரைச்சல் இசை சிரிப்பு சிரிப்பொலி சிரிக்கிறார் கைதட்டல் கரவொலி மௌனம் நிசப்தம் அமைதி இடைவெளி இருமல் தும்மல் மூச்சு"
    " பெருமூச்சு அழுகை",
    "te": "శబ్దం శబ్దాలు గోల సంగీతం నవ్వు నవ్వులు చప్పట్లు నిశ్శబ్దం మౌనం విరామం దగ్గు తుమ్ము శ్వాస నిట్టూర్పు ఏడుపు",
    "kn": "ಶಬ್ದ ಗದ್ದಲ ಸದ್ದು ಸಂಗೀತ ನಗು ಚಪ್ಪಾಳೆ ಮೌನ ನಿಶ್ಶಬ್ದ ವಿರಾಮ ಕೆಮ್ಮು ಸೀನು ಉಸಿರು ಉಸಿರಾಟ ನಿಟ್ಟುಸಿರು ಅಳು",
    "ml": "ശബ്ദം ബഹളം ഒച്ച സംഗീതം ചിരി ചിരിക്കുന്നു കൈയടി കയ്യടി നിശബ്ദത നിശ്ശബ്ദത മൗനം ഇടവേള ചുമ തുമ്മൽ ശ്വാസം നെടുവീർപ്പ് കരച്ചിൽ",
    "gu": "ઘોંઘાટ શોર સંગીત હાસ્ય હસવું હસે તાળીઓ મૌન શાંતિ વિરામ ઉધરસ ખાંસી છીંક શ્વાસ રડવું",
    "pa": "ਸ਼ੋਰ ਰੌਲਾ ਸੰਗੀਤ ਹਾਸਾ ਹੱਸਣਾ ਤਾੜੀਆਂ ਚੁੱਪ ਖਾਮੋਸ਼ੀ ਖੰਘ ਛਿੱਕ ਸਾਹ",
    "or": "ଗୋଳମାଳ କୋଳାହଳ ସଙ୍ଗୀତ ହସ ତାଳି ନୀରବତା କାଶ ଛିଙ୍କ",
    "si": "සංගීතය සිනහව සිනා අත්පොළසන් නිහඬතාව නිශ්ශබ්දතාව කැස්ස",
    "ur": "شور موسیقی ہنسی قہقہہ قہقہے تالیاں خاموشی وقفہ کھانسی چھینک سانس آہ رونا",
    "ar": "ضوضاء ضجيج موسيقى ضحك تصفيق صمت سعال عطس تنهد بكاء تنفس",
    "fa": "نویز سروصدا موسیقی خنده تشویق سکوت سرفه عطسه",
    "es": "ruido ruidos música musica risa risas ríe aplauso aplausos silencio pausa tos estornudo suspiro suspiros"
    " respiración llanto carraspeo",
    "fr": "bruit bruits musique rire rires rit applaudissements silence toux tousse éternuement soupir soupirs"
    " respiration pleurs",
    "pt": "ruído ruido ruídos barulho barulhos riso risos risada risadas palmas silêncio silencio tosse espirro"
    " respiração choro",
    "sw": "kelele muziki kicheko vicheko anacheka wanacheka makofi kimya ukimya kikohozi kukohoa anakohoa chafya pumzi"
    " kilio",
    "de": "geräusch geräusche rauschen lärm musik lachen lacht gelächter applaus beifall stille husten hustet niesen"
    " seufzen seufzt atmen weinen",
    "it": "rumore rumori risata risate applausi silenzio tosse starnuto sospiro",
    "id": "bising kebisingan tawa tertawa tepukan hening jeda batuk bersin",
    "tl": "ingay musika tawa tawanan palakpakan katahimikan ubo",
    "ha": "hayaniya dariya shiru tari",
    "am": "ጫጫታ ሙዚቃ ሳቅ ጭብጨባ ዝምታ ሳል",
    "ru": "шум музыка смех аплодисменты тишина пауза кашель вздох",
    "tr": "gürültü müzik gülme gülüşmeler kahkaha alkış sessizlik öksürük",
    "zh": "噪音 噪声 噪聲 音乐 音樂 笑声 笑聲 笑 掌声 掌聲 静音 靜音 沉默 咳嗽 叹气 背景音 背景噪音 背景音乐 背景音樂",
    "ja": "雑音 音楽 笑 笑い 笑い声 拍手 沈黙 無音 咳 ため息 間",
    "ko": "소음 잡음 음악 웃음 웃음소리 박수 침묵 기침",
    "th": "เสียงรบกวน ดนตรี เสียงดนตรี เสียงหัวเราะ หัวเราะ เสียงปรบมือ ปรบมือ ความเงียบ เงียบ",
}
NOT_UNDERSTOOD: Mapping[str, str] = {
    "en": "inaudible unintelligible indistinct unclear incomprehensible indecipherable undecipherable garbled muffled"
    " mumble mumbles mumbling unk unknown oov crosstalk overlap overlapping foreign redacted censored",
    "hi": "अस्पष्ट अश्रव्य अश्राव्य अबोध्य अज्ञात अस्पष्टता",
    "mr": "अस्पष्टपणे",
    "ne": "बुझिएन सुनिएन",
    "bn": "অস্পষ্ট অশ্রাব্য অবোধ্য দুর্বোধ্য",
    "ta": "தெளிவற்ற தெளிவற்றது தெளிவில்லை தெளிவாக கேட்கவில்லை புரியவில்லை",
    "te": "అస్పష్టం అస్పష్టంగా అస్పష్టమైన వినబడలేదు వినిపించలేదు వినిపించడం",
    "kn": "ಅಸ್ಪಷ್ಟ ಅಸ್ಪಷ್ಟವಾಗಿದೆ ಅಸ್ಪಷ್ಟವಾದ ಕೇಳಿಸುತ್ತಿಲ್ಲ ಕೇಳಿಸಲಿಲ್ಲ ಕೇಳಿಸಿಲ್ಲ ಅರ್ಥವಾಗಲಿಲ್ಲ",
    "ml": "അവ്യക്തം അവ്യക്തമായ അവ്യക്തമാണ് വ്യക്തമല്ല കേൾക്കുന്നില്ല കേൾക്കാനായില്ല",
    "gu": "અસ્પષ્ટ અશ્રાવ્ય અવાચ્ય સંભળાતું સંભળાયું સમજાયું",
    "pa": "ਅਸਪਸ਼ਟ ਅਸਪੱਸ਼ਟ",
    "or": "ଅସ୍ପଷ୍ଟ",
    "si": "අපැහැදිලි",
    "ur": "مبہم",
    "fa": "نامفهوم نامشخص ناواضح",
    "es": "ininteligible incomprensible indescifrable",
    "fr": "inintelligible incompréhensible",
    "pt": "inaudível inaudivel ininteligível ininteligivel incompreensível incompreensivel",
    "sw": "haisikiki haieleweki hausikiki hayasikiki isiyosikika isiyoeleweka",
    "de": "unverständlich unhörbar undeutlich",
    "it": "incomprensibile inudibile",
    "ru": "неразборчиво нрзб неслышно",
    "tr": "anlaşılmıyor anlaşılmayan duyulmuyor",
    "zh": "听不清 聽不清 听不清楚 无法辨认 無法辨認 不清楚 模糊",
    "ja": "聞き取れず 聞き取れない 聞き取れません 聞き取り不能 聴取不能 不明瞭 不明",
    "ko": "불명확 안들림",
    "th": "ฟังไม่ออก ฟังไม่ชัด ไม่ชัดเจน ไม่ได้ยิน",
}
NOT_UNDERSTOOD_WITH_OTHERS = "सुनाई समझ ऐकू समजले कळले শোনা বোঝা அர்த்தம் అర్థం ਸੁਣਾਈ ਸਮਝ سنائی سمجھ entiende terdengar"
"""Heard, understood: with the "not" beside them; alone they may have been spoken."""
PHRASES_NOT_UNDERSTOOD = (
    "غیر واضح",
    "ناقابل سماعت",
    "ناقابل فہم",
    "غير مسموع",
    "غير واضح",
    "غير مفهوم",
    "tidak jelas",
    "không nghe rõ",
    "không rõ",
    "hindi maintindihan",
    "hindi marinig",
    "ba a ji ba",
    "ግልጽ ያልሆነ",
    "알아들을 수 없음",
    "들리지 않음",
    "saaf nahi",
    "not clear",
    "not audible",
    "not intelligible",
    "cannot hear",
    "could not hear",
    "hard to hear",
    "xxx",
    "आवाज साफ नहीं",
    "साफ नहीं",
    "स्पष्ट नहीं",
    "स्पष्ट नहीं है",
    "साफ नहीं है",
    "आवाज स्पष्ट नहीं",
    "आवाज स्पष्ट नहीं है",
    "आवाज साफ नहीं है",
    "स्पष्ट नाही",
    "आवाज स्पष्ट नाही",
    "स्पष्ट छैन",
    "স্পষ্ট নয়",
    "সুস্পষ্ট নয়",
    "পরিষ্কার নয়",
    "સ્પષ્ટ નથી",
    "ਸਾਫ਼ ਨਹੀਂ",
    "స్పష్టంగా లేదు",
    "ಸ್ಪಷ್ಟವಾಗಿಲ್ಲ",
    "കേൾക്കാനാവുന്നില്ല",
    "തെളിയാത്ത",
    "ସ୍ପଷ୍ଟ ନୁହେଁ",
    "صاف نہیں",
    "sunai nahi diya",
)
"""Of words that say it only together."""
PHRASES_APART = (
    "no speech",
    "no audio",
    "no sound",
    "no voice",
    "no talking",
    "no speech detected",
    "no speech found",
    "no voice detected",
    "no audible speech",
    "no discernible speech",
    "audio begins",
    "audio starts",
    "audio ends",
    "recording begins",
    "recording ends",
    "clip ends",
    "male voice",
    "female voice",
    "male speaker",
    "female speaker",
    "man speaking",
    "woman speaking",
    "unknown speaker",
    "unidentified speaker",
    "speaker unknown",
    "end of transcript",
    "end of transcription",
    "end of audio",
    "end of recording",
    "end of clip",
    "start of audio",
    "कोई आवाज नहीं",
    "आवाज नहीं",
    "कोई भाषण नहीं",
    "কোনো কথা নেই",
    "பேச்சு இல்லை",
    "మాటలు లేవు",
)
"""Nothing was said, or nothing more."""
UNHEARD_BARE = frozenset({"inaudible", "unintelligible", "xxx", "अश्रव्य", "अश्राव्य", "অশ্রাব্য"})
"""Also without brackets, where there is nothing else."""
AROUND = (
    # English
    "loud soft faint heavy light brief short long distant ambient upbeat dramatic gentle playing plays starts stops"
    " continues ends in the a an of and with from to people person man woman child children baby speaker speakers male"
    " female audience crowd dog dogs bird birds door phone telephone keyboard mouth tongue lip lips clear clears"
    " clearing closes voice voices talking speaking speaks talk sound sounds audio end start no other language speech"
    " word words phrase vocalized spoken non human cross nonspeech verbal"
    " s sec secs second seconds"
    # Indic
    " पृष्ठभूमि पार्श्वभूमी पार्श्वभूमीतील बैकग्राउंड बॅकग्राउंड का की के में से और मध्ये तेज धीमी लोगों लोगो बच्चे बज बजना बजने रहा रही रहे"
    " कुत्ता कुत्ते कुत्तों बच्चा बच्चों हैं हुए है ध्वनि आवाज आवाजें भाषा अन्य नहीं नही नाही दिया दी दे देता आया आई आ आले येत शब्द"
    " পটভূমি পটভূমির ব্যাকগ্রাউন্ড পেছনের আওয়াজ শব্দ শব্দের এর ও না যায় যাচ্ছে যায়নি"
    " பின்னணி ஒலி இல்லை நேர"
    " నేపథ్య నేపథ్యం బ్యాక్‌గ్రౌండ్ లేదు కాలేదు ధ్వని"
    " ಹಿನ್ನೆಲೆ ಹಿನ್ನೆಲೆಯ ಧ್ವನಿ"
    " പശ്ചാത്തല പശ്ചാത്തലം"
    " પૃષ્ઠભૂમિ બેકગ્રાઉન્ડ અવાજ નથી"
    " ਪਿਛੋਕੜ ਆਵਾਜ਼ ਨਹੀਂ ਦਿੰਦਾ ਦਿੱਤਾ"
    " ପୃଷ୍ଠଭୂମି ଶବ୍ଦ"
    " پس منظر کی کا میں آواز نہیں دیا دیتا دے رہا آیا"
    # others
    " de fondo ambiente del la el los las con se y fond du des le les en et arrière plan ambiant fundo ao em e ya za na"
    " nyuma chinichini sauti im hintergrund der und di sottofondo tangan tepuk suara latar belakang tidak musik"
    " фоновый фоновая arka plan"
)
TOKENS_OF_MODELS = (
    "s pad eos bos cls sep mask unk sil spn nsn sta fil spk int non nps npc hes dtmf eps eou eob"
    " nospeech noise blank blank_audio no_speech end start_of_turn end_of_turn endoftext asr_text"
)
"""What the vocabularies of models and the transcripts of corpora have in ``< >``, and in capitals in ``[ ]``."""
MARKUP = (
    "b i u em strong br hr p div span font s sub sup small big c v lang ruby rt rp code pre tt center"
    " ul ol li h1 h2 h3 h4"
)
"""Elements of HTML and WebVTT."""
SPEAKERS = "speaker speakers spk spkr voice वक्ता स्पीकर বক্তা பேச்சாளர் వక్త ಭಾಷಣಕಾರ hablante locuteur falante"
"""Before a number or a letter: who speaks."""
