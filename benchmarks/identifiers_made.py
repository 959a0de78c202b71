"""Made identifiers of people, in Chinese and English: how one valid value of each kind is made.

Nothing here comes from the lists that the scan uses: names are written out below, phone numbers are built from the networks'
published prefixes, numbers from their standards' checksums.
"""

# ruff: noqa: E501 - a list of words, and one way of making a value, read best in one line

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np
from stdnum import luhn, verhoeff
from stdnum.es.dni import calc_check_digit as dni_letter
from stdnum.fr.nir import calc_check_digits as nir_key
from stdnum.iso7064 import mod_11_10, mod_97_10

Make = Callable[[np.random.Generator], str]


def digits(random: np.random.Generator, count: int, first: str = "0123456789") -> str:
    return str(random.choice(list(first))) + "".join(map(str, random.integers(0, 10, count - 1)))


def pick(words: str) -> Make:
    choices = [word.strip() for word in words.strip().split(",")]
    return lambda random: str(random.choice(choices))


def broken(make: Make, place: int = -1) -> Make:
    """A number with one digit changed, so that its checksum fails."""

    def decoy(random: np.random.Generator) -> str:
        text = make(random)
        index = place if place >= 0 else len(text) - 1
        while not text[index].isdigit():
            index -= 1
        return text[:index] + str((int(text[index]) + int(random.integers(1, 9))) % 10) + text[index + 1 :]

    return decoy


# ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_GIVEN = """James, Mary, Jayden, Aaliyah, Zoe, Mateo, Liam, Emma, Noah, Olivia, Ethan, Sophia, Lucas, Isabella, Mia, Charlotte, Amelia,
Harper, Evelyn, Abigail, Henry, Sebastian, Jack, Owen, Theodore, Wyatt, Luke, Gabriel, Anthony, Dylan, Leo, Lincoln, Jaxon, Asher,
Christopher, Joshua, Andrew, Fatima, Aisha, Mohammed, Priya, Rahul, Ananya, Vikram, Chloe, Imogen, Niamh, Siobhan, Rhys, Angus, Callum,
Gwendolyn, Bartholomew, Cornelius, Winifred, Agnes, Doris, Harold, Ernest, Mabel, Kwame, Chiara, Giulia, Lorenzo, Ingrid, Bjorn, Astrid,
Sven, Pierre, Colette, Heinrich, Greta, Ravi, Deepa, Hannah, Esther, Miriam, Caleb, Tyler, Brandon"""
_FAMILY = """Smith, Johnson, O'Connor, Fitzgerald, Nguyen, Patel, Garcia, Rodriguez, Kowalski, Yamamoto, Singh, Sharma, Kaur, Murphy,
Kelly, Campbell, Stewart, Robertson, Thompson, Anderson, Clark, Lewis, Walker, Hall, Young, King, Wright, Scott, Torres, Hill, Flores,
Green, Adams, Nelson, Baker, Rivera, Mitchell, Carter, Roberts, Phillips, Evans, Turner, Parker, Collins, Edwards, Morris, Murray,
Van Dyke, de Souza, MacDonald, McCarthy, Hernandez, Lopez, Schneider, Fischer, Weber, Rossi, Ferrari, Larsen, Hansen, Dubois, Moreau,
Okafor, Mensah, Haddad, Abdullah, Kim, Park, Chen, Wang, Ivanov, Novak, Horvath, Silva, Santos, Costa, Mukherjee, Iyer, Goldberg, Katz"""
_CHINESE_FAMILY = "王,李,张,刘,陈,杨,赵,黄,周,吴,徐,孙,胡,朱,高,林,何,郭,马,罗,梁,宋,郑,谢,韩,唐,冯,于,董,萧,程,曹,袁,邓,许,傅,沈,曾,彭,吕,苏,卢,蒋,蔡,贾,丁,魏,薛,叶,阎,欧阳,司马,诸葛,上官,慕容"
_CHINESE_GIVEN = """伟,芳,娜,秀英,敏,静,丽,强,磊,军,洋,勇,艳,杰,娟,涛,明,超,秀兰,霞,平,刚,桂英,子涵,浩宇,欣怡,梓轩,诗涵,宇轩,雨桐,子墨,思远,
晓东,建国,志强,美玲,文静,海燕,国庆,雪梅,佳琪,俊杰,天宇,嘉怡,一诺,雅婷,瑞霖,婉清,若曦,泽洋,凯文,慧敏,立新,永红,春燕,德华,学友,润发,家辉,冰冰,语嫣,翠花,铁柱,小龙,大山,云飞,鹏程,晨曦,梦瑶,可欣"""


def english_name(random: np.random.Generator) -> str:
    given, family = pick(_GIVEN)(random), pick(_FAMILY)(random)
    style = int(random.integers(0, 6))
    middle = "ABCDEFGHJKLMNPRSTW"[int(random.integers(0, 18))]
    return (
        f"{given} {family}",
        f"{given} {family}",
        f"{given} {middle}. {family}",
        f"{family}, {given}",
        f"{pick('Mr., Mrs., Dr., Ms., Prof.')(random)} {given} {family}",
        f"{given} {family}".upper(),
    )[style]


def chinese_name(random: np.random.Generator) -> str:
    return pick(_CHINESE_FAMILY)(random) + pick(_CHINESE_GIVEN)(random)


# ── numbers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def chinese_id(random: np.random.Generator) -> str:
    place = pick(
        "110105,310104,440305,510107,330106,420106,610113,320102,230103,370202,500103,350203,210102,530102,650102"
    )(random)
    born = datetime.date(1940, 1, 1) + datetime.timedelta(int(random.integers(0, 25_000)))
    body = f"{place}{born:%Y%m%d}{random.integers(0, 1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def bad_chinese_id(random: np.random.Generator) -> str:
    right = chinese_id(random)
    return right[:17] + str(random.choice([c for c in "0123456789X" if c != right[17]]))


def card(random: np.random.Generator) -> str:
    prefix, length = [("4", 16), ("52", 16), ("37", 15), ("62", 16), ("622202", 19), ("6011", 16), ("3540", 16)][
        int(random.integers(0, 7))
    ]
    body = prefix + digits(random, length - len(prefix) - 1)
    number = body + luhn.calc_check_digit(body)
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4)) if random.random() < 0.3 else number


def iban(random: np.random.Generator) -> str:
    country, length = [("DE", 22), ("NL", 18), ("GB", 22), ("CH", 21), ("AT", 20), ("DK", 18)][
        int(random.integers(0, 6))
    ]
    bank = {"NL": "ABNA", "GB": "MIDL"}.get(country, "")
    body = bank + digits(random, length - 4 - len(bank))
    return country + mod_97_10.calc_check_digits(body + country) + body


def ssn(random: np.random.Generator) -> str:
    area = int(random.choice([n for n in range(1, 900) if n != 666]))
    return f"{area:03d}-{random.integers(1, 100):02d}-{random.integers(1, 10_000):04d}"


def bad_ssn(random: np.random.Generator) -> str:
    return str(random.choice(["000", "666", "912", "987"])) + ssn(random)[3:]


def nhs(random: np.random.Generator) -> str:
    while True:
        body = digits(random, 9, "456789")
        check = -sum(int(digit) * (10 - place) for place, digit in enumerate(body)) % 11
        if check != 10:
            number = f"{body}{check}"
            return f"{number[:3]} {number[3:6]} {number[6:]}" if random.random() < 0.4 else number


def german(random: np.random.Generator) -> str:
    """Ten digits of which one is there twice and none else, and a check digit (ISO 7064 mod 11, 10)."""
    chosen = list(map(str, random.permutation(10)))[:9]
    chosen.insert(int(random.integers(1, 9)), chosen[0])
    body = "".join(chosen)
    return german(random) if body[0] == "0" else body + mod_11_10.calc_check_digit(body)


def french(random: np.random.Generator) -> str:
    body = f"{random.integers(1, 3)}{random.integers(40, 100):02d}{random.integers(1, 13):02d}{random.integers(21, 96):02d}"
    body += f"{random.integers(1, 990):03d}{random.integers(1, 1000):03d}"
    return body + nir_key(body)


def bad_letter(random: np.random.Generator) -> str:
    number = digits(random, 8)
    return number + str(random.choice([c for c in "TRWAGMYFPDXBNJZSQVHLCKE" if c != dni_letter(number)]))


def dni(random: np.random.Generator) -> str:
    number = digits(random, 8)
    return number + dni_letter(number)


def cpf(random: np.random.Generator) -> str:
    number = [int(digit) for digit in digits(random, 9)]
    for _ in range(2):
        total = sum((len(number) + 1 - place) * digit for place, digit in enumerate(number))
        number.append(-total % 11 % 10)
    text = "".join(map(str, number))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def aadhaar(random: np.random.Generator) -> str:
    body = digits(random, 11, "23456789")
    number = body + verhoeff.calc_check_digit(body)
    return f"{number[:4]} {number[4:8]} {number[8:]}" if random.random() < 0.5 else number


def letters(random: np.random.Generator, count: int, of: str = "ABCDEFGHJKLMNPRSTUVWXYZ") -> str:
    return "".join(random.choice(list(of), count))


def pan(random: np.random.Generator) -> str:
    return f"{letters(random, 3)}{letters(random, 1, 'PCHFATBLJG')}{letters(random, 1)}{random.integers(1, 10_000):04d}{letters(random, 1)}"


def bad_pan(random: np.random.Generator) -> str:
    right = pan(random)
    return right[:3] + letters(random, 1, "DEMNQRSUVWXYZ") + right[4:]


_VIN = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9], strict=True)
)


def vin(random: np.random.Generator) -> str:
    text = (
        str(random.choice(["LSV", "1HG", "WDB", "LFV", "JTD", "2T1", "LGB"]))
        + letters(random, 5)
        + "0"
        + letters(random, 2)
        + digits(random, 6)
    )
    total = sum(
        (_VIN[c] if c in _VIN else int(c)) * w
        for c, w in zip(text, [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2], strict=True)
    )
    return text[:8] + "0123456789X"[total % 11] + text[9:]


def bad_vin(random: np.random.Generator) -> str:
    right = vin(random)
    return right[:8] + str(random.choice([c for c in "0123456789X" if c != right[8]])) + right[9:]


# ── contacts and places ────────────────────────────────────────────────────────────────────────────────────────────


def chinese_phone(random: np.random.Generator) -> str:
    if random.random() < 0.25:
        area = str(random.choice(["010", "021", "0755", "0571", "028", "027", "0512"]))
        return (
            f"{area}-{random.integers(2, 9)}{digits(random, 7)}" if len(area) == 3 else f"{area}-8{digits(random, 7)}"
        )
    prefix = str(
        random.choice(
            [
                "130",
                "131",
                "133",
                "135",
                "136",
                "137",
                "138",
                "139",
                "150",
                "151",
                "152",
                "155",
                "158",
                "159",
                "166",
                "173",
                "176",
                "177",
                "178",
                "180",
                "182",
                "186",
                "187",
                "188",
                "189",
                "191",
                "199",
            ]
        )
    )
    number = prefix + digits(random, 8)
    return [
        number,
        number,
        f"+86 {number}",
        f"{number[:3]} {number[3:7]} {number[7:]}",
        f"{number[:3]}-{number[3:7]}-{number[7:]}",
    ][int(random.integers(0, 5))]


def english_phone(random: np.random.Generator) -> str:
    area = str(
        random.choice(
            [
                "212",
                "415",
                "312",
                "617",
                "206",
                "305",
                "702",
                "303",
                "404",
                "512",
                "713",
                "213",
                "818",
                "503",
                "215",
                "602",
            ]
        )
    )
    line = (
        f"{random.integers(2, 10)}{random.integers(0, 10)}{random.choice(list('023456789'))}",
        f"{random.integers(0, 10_000):04d}",
    )
    british = f"07{random.choice(['400', '711', '812', '901', '533'])} {digits(random, 6)}"
    return [f"({area}) {line[0]}-{line[1]}", f"{area}-{line[0]}-{line[1]}", f"+1 {area} {line[0]} {line[1]}", f"{area}.{line[0]}.{line[1]}",
            british, f"020 7{random.integers(100, 1000)} {line[1]}", f"+44 7{random.choice(['400', '711', '812'])} {digits(random, 6)}"][int(random.integers(0, 7))]  # fmt: skip


def email(random: np.random.Generator) -> str:
    user = [
        pick(_GIVEN)(random).lower() + str(random.integers(1, 999)),
        f"{pick(_GIVEN)(random)}.{pick(_GIVEN)(random)}".lower(),
        digits(random, 9, "123456789"),
    ]
    return f"{user[int(random.integers(0, 3))]}@{pick('qq.com,163.com,gmail.com,example.co.uk,mail.ru,sub.uni-example.de,126.com,outlook.com')(random)}"


def address_english(random: np.random.Generator) -> str:
    street = f"{random.integers(1, 9999)} {pick('Oak,Maple,Main,Washington,Church,Park,Second,5th,Lakeview,Old Mill,Martin Luther King,Elm,High,Station')(random)} {pick('Street,St,Avenue,Ave.,Road,Rd,Lane,Drive,Blvd,Court,Way,Close,Terrace')(random)}"
    return [street, f"{street}, Springfield, IL 627{random.integers(10, 99)}", f"Flat {random.integers(1, 90)}, {street}, London SW1A 1AA",
            f"{street} Apt. {random.integers(1, 400)}", f"P.O. Box {random.integers(10, 9999)}, Austin, TX 78701", f"{street}\nDenver, CO 80203"][int(random.integers(0, 6))]  # fmt: skip


def address_chinese(random: np.random.Generator) -> str:
    road = pick("中山路,人民路,建设大道,解放街,科技园南路,长江西路,和平里东街,文一西路,新华街,世纪大道")(random)
    region = pick(
        "北京市海淀区,上海市浦东新区,广东省深圳市南山区,浙江省杭州市西湖区,四川省成都市武侯区,江苏省南京市鼓楼区,湖北省武汉市洪山区"
    )(random)
    house = f"{random.integers(1, 999)}号"
    return [region + road + house, region + road + house + f"{random.integers(1, 30)}栋{random.integers(1, 7)}单元{random.integers(101, 2500)}室",
            road + house + f"阳光小区{random.integers(1, 20)}幢{random.integers(101, 900)}", region + "王家村" + f"{random.integers(1, 20)}组{random.integers(1, 99)}号",
            region + road + house + "科技大厦" + f"{random.integers(1, 30)}层"][int(random.integers(0, 5))]  # fmt: skip


def coordinates(random: np.random.Generator) -> str:
    lat, lon = random.uniform(-60, 70), random.uniform(-179, 179)
    return [f"{lat:.6f},{lon:.6f}", f"{lat:.4f}, {lon:.4f}", f"({lat:.5f}, {lon:.5f})"][int(random.integers(0, 3))]


def url(random: np.random.Generator) -> str:
    user = pick(_GIVEN)(random).lower()
    return [f"https://example.com/u/{user}{random.integers(1, 999)}", f"http://www.{user}.cn", f"www.{user}.org/about"][
        int(random.integers(0, 3))
    ]


def plate(random: np.random.Generator) -> str:
    if random.random() < 0.3:
        return f"{letters(random, 2, 'ABCDEFGHKLMNOPRSVWY')}{random.choice(['12', '19', '21', '68', '70', '73'])} {letters(random, 3, 'ABCDEFGHJKLMNOPRSTUVWXYZ')}"
    head = pick("京A,沪B,粤B,浙A,苏E,川A,鲁B,鄂A,湘A,豫A")(random)
    return (
        head
        + ("·" if random.random() < 0.4 else "")
        + (letters(random, 1, "ABCDEFGH") + digits(random, 4) if random.random() < 0.8 else "D" + digits(random, 5))
    )


def date(random: np.random.Generator, first: int, last: int) -> str:
    day = datetime.date(first, 1, 1) + datetime.timedelta(int(random.integers(0, (last - first) * 365)))
    return [f"{day:%Y-%m-%d}", f"{day:%d/%m/%Y}", f"{day:%Y年%m月%d日}", f"{day:%Y%m%d}"][int(random.integers(0, 4))]
