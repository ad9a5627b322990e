import queue
import time

from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection

from shop.models import Job

jobs = queue.Queue()


class Command(BaseCommand):
    def handle(self, *args, **options):
        while True:
            for job in Job.objects.filter(done=False):
                job.run()
            time.sleep(600)  # expect: SH603


def work():
    while True:
        number = jobs.get()  # expect: SH603
        Job.objects.get(pk=number).run()


class Safe(BaseCommand):
    def handle(self, *args, **options):
        while True:
            close_old_connections()
            for job in Job.objects.filter(done=False):
                job.run()
            time.sleep(600)


class Closing(BaseCommand):
    def handle(self, *args, **options):
        while True:
            for job in Job.objects.filter(done=False):
                job.run()
            connection.close()
            time.sleep(600)


class Quick(BaseCommand):
    def handle(self, *args, **options):
        while True:
            for job in Job.objects.filter(done=False):
                job.run()
            time.sleep(1)


class Other(BaseCommand):
    def handle(self, *args, **options):
        while True:
            self.stdout.write("still here")
            time.sleep(600)


def once():
    for job in Job.objects.filter(done=False):
        job.run()
