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
ship 🚢 ferris_wheel 🎡 traffic_light 🚦 vertical_traffic_light 🚦 ambulance 🚑 fire_engine 🚒 ghost 👻 skull 💀 poop 💩`;

const words = LIST.trim().split(/\s+/);
export const EMOJI = new Map();
for (let i = 0; i < words.length; i += 2) EMOJI.set(words[i], words[i + 1]);
