"""People."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address, which is kept in lower case."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:  # Any: model fields
        """A user; without a password nobody can sign in as them but by a one-time link."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:  # Any: model fields
        """A user with every permission; used by Django's own command."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with this e-mail address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractUser):
    """One person, signing in by e-mail address. Roles are per team: see Membership."""

    username = None  # type: ignore[assignment]  # the e-mail address is the name
    email = models.EmailField("e-mail address", unique=True)
    zone = models.CharField("time zone", max_length=64, default="UTC")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]  # as AbstractUser documents

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case")]

    def clean(self) -> None:
        """Normalises the address."""
        self.email = self.email.strip().lower()

    def save(self, *args: Any, **kwargs: Any) -> None:  # Any: as the base class has it
        """Keeps the address in lower case, so that the unique key holds without case."""
        self.clean()
        super().save(*args, **kwargs)

    @property
    def name(self) -> str:
        """What pages call this person: the full name, else the part of the address before the @."""
        return self.get_full_name() or self.email.split("@")[0]
