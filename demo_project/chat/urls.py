from django.contrib.auth.views import LogoutView
from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.LogInView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("signup/", views.sign_up, name="signup"),
    path("me/", views.me, name="me"),
    path("rooms/new/", views.new_room, name="new-room"),
    path("rooms/<str:slug>/", views.room, name="room"),
    path("rooms/<str:slug>/announce/", views.announce, name="announce"),
    path("images/<uuid:pk>/", views.image, name="image"),
]
