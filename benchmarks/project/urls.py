from django.urls import path

from benchmarks.project import views

urlpatterns = [path("holdings/", views.holdings)]
