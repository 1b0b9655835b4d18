"""Queries of names with a filter beside them, or with a field's word among their own."""

from random import Random

from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query
from benchmarks.search_queries.text import is_east_asian, words


def _word(person: Person, dice: Random) -> str | None:
    tokens = [token for token in person.name.split() if len(words(token)) == 1 and len(token) > 2]
    return dice.choice(tokens) if tokens and not is_east_asian(person.name) else None


def _plain_city(person: Person, dice: Random) -> str | None:
    """Of one word, and in no script that goes without spaces."""
    cities = [city for city in person.cities if len(words(city)) == 1 and not is_east_asian(city)]
    return dice.choice(cities) if cities else None


def city_filter(person: Person, directory: Directory, dice: Random) -> Query | None:
    word = _word(person, dice)
    if not word or not person.cities:
        return None
    city = dice.choice(person.cities)
    right = directory.named(*words(word)) & directory.in_city[city]
    return query(word, right, ("city", city))


def department_filter(person: Person, directory: Directory, dice: Random) -> Query | None:
    word = _word(person, dice)
    if not word or not person.department:
        return None
    right = directory.named(*words(word)) & directory.in_department[person.department]
    return query(word, right, ("department", person.department))


def name_and_city(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`anna berlin`: right are people who have each word in some field."""
    word, city = _word(person, dice), _plain_city(person, dice)
    if not word or not city:
        return None
    return query(f"{word} {city}", directory.anywhere(*words(word), *words(city)))


def field_city(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`city:berlin anna`."""
    word, city = _word(person, dice), _plain_city(person, dice)
    if not word or not city:
        return None
    lives = {which for one, who in directory.in_city.items() if words(city)[0] in words(one) for which in who}
    right = directory.anywhere(*words(word)) & lives
    return query(f"city:{city.lower()} {word}", right)


def field_department(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`anna department:legal`."""
    word = _word(person, dice)
    asked = words(person.department or "")
    if not word or len(asked) != 1:
        return None
    works = {which for one, who in directory.in_department.items() if asked[0] in words(one) for which in who}
    return query(f"{word} department:{asked[0]}", directory.anywhere(*words(word)) & works)


def field_name(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`name:thomas city:paris`: surnames and given names, no other field."""
    word, city = _word(person, dice), _plain_city(person, dice)
    if not word or not city:
        return None
    lives = {which for one, who in directory.in_city.items() if words(city)[0] in words(one) for which in who}
    return query(f"name:{word.lower()} city:{city}", directory.named(*words(word)) & lives)


KINDS = (
    Kind("narrowed", "name with a city filter", city_filter),
    Kind("narrowed", "name with a department filter", department_filter),
    Kind("narrowed", "name and city", name_and_city),
    Kind("narrowed", "city: and name", field_city),
    Kind("narrowed", "name and department:", field_department),
    Kind("narrowed", "name: and city:", field_name),
)
