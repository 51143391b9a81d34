"""What users type, checked. The socket's events go through the same forms as the pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.core.validators import MaxLengthValidator
from django.utils.text import slugify

from .models import Room

MAX_TEXT = 2000
MAX_USERNAME = 24
# Slugs that are words in URLs.
RESERVED = {"new"}


class TextField(forms.CharField):
    """Text of several lines that a database and a socket can carry."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        # Half of a surrogate pair is valid JSON but has no UTF-8 form.
        text = (super().to_python(value) or "").encode("utf-8", "replace").decode()
        return text.replace("\r\n", "\n")


class MessageForm(forms.Form):
    """A message as it comes over the socket. The text may be empty when there is an image."""

    uid = forms.UUIDField(error_messages={"invalid": "The message's id must be a UUID."})
    text = TextField(
        max_length=MAX_TEXT,
        required=False,
        error_messages={"max_length": "A message may have at most %(limit_value)d characters."},
    )


class AnnouncementForm(forms.Form):
    text = TextField(
        label="Announcement",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
        help_text="Everybody in the room sees it at once.",
    )


class RoomForm(forms.ModelForm):
    name = forms.CharField(max_length=40, widget=forms.TextInput(attrs={"autofocus": True}))
    topic = forms.CharField(
        max_length=120, required=False, help_text="Optional: what is talked about here."
    )

    class Meta:
        model = Room
        fields = ("name", "topic")

    def clean_name(self) -> str:
        name: str = " ".join(self.cleaned_data["name"].split())
        slug = slugify(name, allow_unicode=True)[:50]
        if not slug:
            raise forms.ValidationError("Use at least one letter or digit.")
        if slug in RESERVED or Room.objects.filter(slug=slug).exists():
            raise forms.ValidationError("There is a room with this name already.")
        self.instance.slug = slug
        return name


class SignUpForm(UserCreationForm):
    class Meta:
        model = get_user_model()
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.validators.append(MaxLengthValidator(MAX_USERNAME))
        username.help_text = f"Up to {MAX_USERNAME} letters, digits and @ . + - _"
        username.widget.attrs["maxlength"] = MAX_USERNAME
        self.fields["password1"].help_text = "At least 8 characters, and not a common password."
        self.fields["password2"].help_text = ""
        self.fields["password2"].label = "Password again"
