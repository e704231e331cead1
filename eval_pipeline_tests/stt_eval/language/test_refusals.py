import pytest

from eval_pipeline.stt_eval.language.refusals import is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, I can't transcribe this audio.",
        "I cannot assist with that request.",
        "The audio is empty.",
        "There is no discernible speech in this audio clip.",
        "The provided audio contains only background noise.",
        "No speech detected.",
        "I\u2019m sorry, but I cannot process audio files.",
        "I am unable to listen to the recording you provided.",
        "Unfortunately, I don't have the ability to hear audio.",
        "As an AI language model, I cannot listen to audio.",
        "As a large language model I work with text.",
        "Please provide the audio file you would like me to transcribe.",
        "No audio was provided.",
        "क्षमा करें, मैं ऑडियो नहीं सुन सकता।",
        "माफ़ कीजिए, मैं इस ऑडियो को ट्रांसक्राइब नहीं कर सकता।",
        "मला माफ करा, मी हा ऑडिओ ट्रान्सक्राइब करू शकत नाही",
        "দুঃখিত, আমি অডিও শুনতে পারি না।",
        "மன்னிக்கவும், என்னால் ஆடியோவை கேட்க முடியாது.",
        "క్షమించండి, నేను ఆడియోను వినలేను.",
        "ಕ್ಷಮಿಸಿ, ನಾನು ಆಡಿಯೋ ಕೇಳಲು ಸಾಧ್ಯವಿಲ್ಲ",
        "ക്ഷമിക്കണം, എനിക്ക് ഓഡിയോ കേൾക്കാൻ കഴിയില്ല",
        "માફ કરશો, હું ઓડિયો સાંભળી શકતો નથી",
        "معذرت، میں آڈیو نہیں سن سکتا",
        "Lo siento, no puedo transcribir este audio.",
        "Désolé, je ne peux pas transcrire cet enregistrement.",
        "Desculpe, não consigo transcrever este áudio.",
        "Samahani, siwezi kunukuu sauti hii.",
        "抱歉\uff0c我无法转写这段音频。",
    ],
)
def test_a_model_that_declines_is_told(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I'm sorry, I can't hear you.",
        "I cannot help with that today, come tomorrow",
        "The audio book is good",
        "I cannot come to the office today.",
        "Please provide your phone number.",
        "He said I'm sorry I can't transcribe this audio",
        "No audio books for me, thanks.",
        "नमस्ते",
        "मुझे आवाज नहीं आ रही, माफ़ कीजिए",
        "Lo siento, no puedo venir mañana",
        "আমি বাড়ি যাব না",
        "I cannot transcribe this audio. " + "And then he went on about his life. " * 20,
    ],
)
def test_speech_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)
