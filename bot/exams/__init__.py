"""Driving tests in the chat: booking, what is booked, the record, the plans for everybody."""

from bot.exams import booking, mine, plans
from bot.exams.booking import book
from bot.exams.mine import ANSWERS, answer, cancel, my_exams
from bot.exams.plans import exam_plans, exam_seats, exam_sites
from bot.exams.record import exam_record

__all__ = [
    "ANSWERS",
    "QUESTIONS",
    "answer",
    "book",
    "cancel",
    "exam_plans",
    "exam_record",
    "exam_seats",
    "exam_sites",
    "my_exams",
]

QUESTIONS = (*booking.QUESTIONS, *mine.QUESTIONS, *plans.QUESTIONS)
