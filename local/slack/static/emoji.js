// Slack's names of emoji that apps for releases, data and people use.

const LIST = `
white_check_mark ✅ heavy_check_mark ✔️ x ❌ no_entry ⛔ no_entry_sign 🚫 warning ⚠️ rotating_light 🚨 octagonal_sign 🛑
stop_sign 🛑 question ❓ grey_question ❔ exclamation ❗ heavy_exclamation_mark ❗ bangbang ‼️ information_source ℹ️ bulb 💡
rocket 🚀 tada 🎉 sparkles ✨ fire 🔥 star ⭐ star2 🌟 zap ⚡ boom 💥 eyes 👀 lock 🔒 unlock 🔓 key 🔑 closed_lock_with_key 🔐
shield 🛡️ bell 🔔 no_bell 🔕 mega 📣 loudspeaker 📢 speech_balloon 💬 thought_balloon 💭 hourglass ⌛
hourglass_flowing_sand ⏳ stopwatch ⏱️ timer_clock ⏲️ alarm_clock ⏰ clock1 🕐 clock3 🕒 clock9 🕘 watch ⌚ calendar 📆
date 📅 spiral_calendar_pad 🗓️ package 📦 inbox_tray 📥 outbox_tray 📤 mailbox 📫 envelope ✉️ email 📧 memo 📝 pencil 📝
pencil2 ✏️ clipboard 📋 page_facing_up 📄 page_with_curl 📃 bookmark_tabs 📑 file_folder 📁 open_file_folder 📂
card_index_dividers 🗂️ wastebasket 🗑️ link 🔗 paperclip 📎 pushpin 📌 round_pushpin 📍 label 🏷️ mag 🔍 mag_right 🔎
bar_chart 📊 chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 abacus 🧮 robot_face 🤖 brain 🧠 gear ⚙️ wrench 🔧
hammer 🔨 hammer_and_wrench 🛠️ nut_and_bolt 🔩 construction 🚧 microscope 🔬 telescope 🔭 test_tube 🧪 dna 🧬 satellite 📡
computer 💻 desktop_computer 🖥️ iphone 📱 floppy_disk 💾 cd 💿 cloud ☁️ sunny ☀️ rainbow 🌈 snowflake ❄️
arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ arrow_upper_right ↗️ arrow_lower_right ↘️ arrows_counterclockwise 🔄
arrows_clockwise 🔃 rewind ⏪ fast_forward ⏩ leftwards_arrow_with_hook ↩️ arrow_right_hook ↪️ back 🔙 soon 🔜 repeat 🔁
arrow_forward ▶️ double_vertical_bar ⏸️ black_square_for_stop ⏹️ heavy_plus_sign ➕ heavy_minus_sign ➖ new 🆕 up 🆙 ok 🆗
red_circle 🔴 large_orange_circle 🟠 large_yellow_circle 🟡 large_green_circle 🟢 large_blue_circle 🔵 large_purple_circle 🟣
white_circle ⚪ black_circle ⚫ large_green_square 🟩 large_red_square 🟥 large_yellow_square 🟨 large_orange_square 🟧
large_blue_square 🟦 white_large_square ⬜ black_large_square ⬛ small_blue_diamond 🔹 small_orange_diamond 🔸
+1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 ok_hand 👌 raised_hands 🙌 clap 👏 wave 👋 pray 🙏 muscle 💪 point_right 👉
point_left 👈 point_up ☝️ point_down 👇 raised_hand ✋ hand ✋ handshake 🤝 bust_in_silhouette 👤 busts_in_silhouette 👥
smile 😄 smiley 😃 grinning 😀 slightly_smiling_face 🙂 grin 😁 joy 😂 wink 😉 blush 😊 thinking_face 🤔 neutral_face 😐
confused 😕 disappointed 😞 cry 😢 sob 😭 scream 😱 sleeping 😴 zzz 💤 sunglasses 😎 heart ❤️ green_heart 💚 broken_heart 💔
100 💯 checkered_flag 🏁 triangular_flag_on_post 🚩 trophy 🏆 first_place_medal 🥇 dart 🎯 gift 🎁 coffee ☕ pizza 🍕 house 🏠
office 🏢 factory 🏭 bank 🏦 credit_card 💳 moneybag 💰 scales ⚖️ bug 🐛 turtle 🐢 snail 🐌 seedling 🌱 deciduous_tree 🌳
ship 🚢 ferris_wheel 🎡 traffic_light 🚦 vertical_traffic_light 🚦 ambulance 🚑 fire_engine 🚒 ghost 👻 skull 💀 poop 💩
white_small_square ▫️ black_small_square ▪️ white_medium_small_square ◽ black_medium_small_square ◾ white_medium_square ◻️
black_medium_square ◼️ large_purple_square 🟪 large_brown_square 🟫 large_brown_circle 🟤 large_blue_diamond 🔷
large_orange_diamond 🔶 small_red_triangle 🔺 small_red_triangle_down 🔻 radio_button 🔘 ballot_box_with_check ☑️ o ⭕
record_button ⏺️ black_right_pointing_double_triangle_with_vertical_bar ⏭️ arrow_right_hook ↪️ arrow_heading_up ⤴️
arrow_heading_down ⤵️ left_right_arrow ↔️ arrow_up_down ↕️ twisted_rightwards_arrows 🔀 recycle ♻️ sos 🆘 free 🆓 cool 🆒
one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ zero 0️⃣ keycap_ten 🔟 hash #️⃣ 1234 🔢 abc 🔤
crystal_ball 🔮 alembic ⚗️ magnet 🧲 chains ⛓️ battery 🔋 electric_plug 🔌 printer 🖨️ keyboard ⌨️ broom 🧹 toolbox 🧰 compass 🧭
books 📚 book 📖 notebook 📓 ledger 📒 scroll 📜 newspaper 📰 receipt 🧾 bookmark 🔖 straight_ruler 📏 triangular_ruler 📐
scissors ✂️ card_file_box 🗃️ file_cabinet 🗄️ ballot_box_with_ballot 🗳️ coin 🪙 anger 💢 dash 💨 dizzy 💫 collision 💥
crossed_fingers 🤞 v ✌️ call_me_hand 🤙 writing_hand ✍️ face_with_monocle 🧐 nerd_face 🤓 partying_face 🥳 upside_down_face 🙃
saluting_face 🫡 shrug 🤷 face_palm 🤦 sleuth_or_spy 🕵️ technologist 🧑‍💻 scientist 🧑‍🔬 judge 🧑‍⚖️ office_worker 🧑‍💼 cop 👮
man 👨 woman 👩 baby 👶 dog 🐶 cat 🐱 crab 🦀 whale 🐳 penguin 🐧 snake 🐍 owl 🦉 hedgehog 🦔 evergreen_tree 🌲 herb 🌿
four_leaf_clover 🍀 sunflower 🌻 earth_africa 🌍 globe_with_meridians 🌐 airplane ✈️ helicopter 🚁 parachute 🪂 anchor ⚓
heavy_equals_sign 🟰 heavy_division_sign ➗ heavy_multiplication_x ✖️ stethoscope 🩺 pill 💊 syringe 💉 hospital 🏥 drop_of_blood 🩸 bar_of_soap 🧼 no_pedestrians 🚷 name_badge 📛`;

const words = LIST.trim().split(/\s+/);
export const EMOJI = new Map();
for (let i = 0; i < words.length; i += 2) EMOJI.set(words[i], words[i + 1]);
