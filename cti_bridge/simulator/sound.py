"""The sound of simulated recordings, made by code: a scale of tones, one a second, so that seeking can be heard.

WAV is 16-bit PCM. MP3 is MPEG-2 layer III, 16 kHz, 32 kbit/s, mono: each frame holds one frequency line and nothing
else, so that all frames stand alone and a second of sound is the same bytes again and again (ISO/IEC 13818-3).
"""

from __future__ import annotations

import io
import math
import wave
from array import array
from functools import cache

LONGEST = 600
"""Seconds of sound that are made at most, however long the call was."""

_SCALE = (262, 294, 330, 349, 392, 440, 494, 523)  # Hz, do to do
_WAV_RATE = 8000

_MP3_RATE = 16000
_MP3_FRAME = 144  # bytes: 72 * 32000 bit/s / 16000 Hz
_MP3_SAMPLES = 576
_MP3_HEADER = bytes((0xFF, 0xF3, 0x48, 0xC0))  # MPEG-2, layer III, no checksum, 32 kbit/s, 16 kHz, mono
_MP3_GAIN = 200  # of 210, which is full scale


def wav(seconds: int, channels: int) -> bytes:
    """A WAV file this long, 8 kHz; the second channel is an octave higher, as the other side of the call."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(_WAV_RATE)
        for second in range(min(seconds, LONGEST)):
            sound.writeframes(_wav_second(_SCALE[second % len(_SCALE)], channels))
    return buffer.getvalue()


def mp3(seconds: int) -> bytes:
    """An MP3 file this long."""
    frames = math.ceil(min(seconds, LONGEST) * _MP3_RATE / _MP3_SAMPLES)
    tones = (int(number * _MP3_SAMPLES / _MP3_RATE) % len(_SCALE) for number in range(frames))
    return b"".join(_mp3_frame(_SCALE[tone]) for tone in tones)


@cache
def _wav_second(hertz: int, channels: int) -> bytes:
    samples = array("h")
    for number in range(_WAV_RATE):
        fade = min(1.0, number / 200, (_WAV_RATE - number) / 200)  # no click between two tones
        for channel in range(channels):
            angle = 2 * math.pi * hertz * (channel + 1) * number / _WAV_RATE
            samples.append(int(6000 * fade * math.sin(angle)))
    return samples.tobytes()


@cache
def _mp3_frame(hertz: int) -> bytes:
    line = round(hertz * 2 * _MP3_SAMPLES / _MP3_RATE - 0.5)
    pairs = line // 2 + 1
    # Huffman table 1: "1" is the pair 0,0; "01" is 1,0 and "001" is 0,1, each with the sign's bit behind it
    data = "1" * (pairs - 1) + ("010" if line % 2 == 0 else "0010")
    granule = (
        f"{len(data):012b}"
        f"{pairs:09b}"
        f"{_MP3_GAIN:08b}"
        f"{0:09b}"  # scale factors: none
        "0"  # one long window
        f"{1:05b}{1:05b}{1:05b}"  # table 1 in every region
        f"{7:04b}{7:03b}"
        "00"
    )
    bits = f"{0:08b}" + "0" + granule + data  # no bytes of earlier frames, no private bit
    body = int(bits.ljust((_MP3_FRAME - len(_MP3_HEADER)) * 8, "0"), 2)
    return _MP3_HEADER + body.to_bytes(_MP3_FRAME - len(_MP3_HEADER), "big")
