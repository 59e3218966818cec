!> Facade: single land-surface processes on arrays of any number of columns, for tests and for experiments.
!>
!> Arrays are (ncolumn, n). Inputs of one subject come packed; the order of a pack is written at its argument and
!> repeated in pyland/core/land_surface.py.
module pl_api_land_surface
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: chunk_count, chunk_width, lane_source
   use pl_constants, only: density_water, freezing_point, heat_capacity_ice, heat_capacity_water
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_ground_albedo, only: ground_albedo
   use pl_interception, only: intercept
   use pl_kinds, only: rk
   use pl_land_chunk, only: evaporation_beta, evaporation_dry_surface_layer, ground_chunk_type, land_options_type, &
                            nband, near_infrared, plant_chunk_type, radiation_chunk_type, visible, weather_chunk_type
   use pl_radiation, only: patch_radiation
   use pl_soil_evaporation, only: soil_surface_humidity, soil_surface_type, vapour_tortuosity
   use pl_ground_heat, only: exchange_type, ground_heat_step
   use pl_ground_surface, only: bare_of_snow
   use pl_soil_thermal, only: fill_soil_thermal, soil_thermal_properties, soil_thermal_type
   use pl_two_stream, only: two_stream, two_stream_type
   use pl_weather, only: derive_weather
   implicit none (type, external)
   private
   public :: surface_albedo, surface_evaporation, surface_intercept, surface_ground_heat, surface_radiation
   public :: surface_soil_thermal, surface_two_stream, surface_weather

   integer, parameter :: nplant = 12     !! columns of a pack of plants
   integer, parameter :: nweather = 6    !! columns of a pack of weather
   integer, parameter :: nderived = 7    !! columns of a pack of derived weather
   integer, parameter :: ntwo_stream = 19 !! columns of a pack of two-stream results
   integer, parameter :: nradiation = 9  !! columns of a pack of patch radiation
   integer, parameter :: nevaporation = 4 !! columns of a pack of soil evaporation
   integer, parameter :: nsoil_surface = 4 !! columns of a pack of top-layer properties

contains

   !> Two-stream solution of both bands.
   subroutine surface_two_stream(plants, albedos, cosine_zenith, results, ierr, errmsg)
      real(rk), intent(in) :: plants(:, :)        !! leaf area, stem area, leaf angle, then vis and nir of leaf
                                                  !! reflectance, transmittance, stem reflectance, transmittance;
                                                  !! share under snow
      real(rk), intent(in) :: albedos(:, :)       !! of the ground: direct vis, nir, diffuse vis, nir [1]
      real(rk), intent(in) :: cosine_zenith(:, :) !! (ncolumn, 1) [1]
      real(rk), intent(inout) :: results(:, :)    !! members of two_stream_type in their order, vis before nir
      integer, intent(out) :: ierr                !! 0 or an error code
      character(len=512), intent(out) :: errmsg   !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(plant_chunk_type) :: plant
      type(ground_chunk_type) :: ground
      type(two_stream_type) :: canopy
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(plants, 1)
      call check_pack(plants, ncolumn, nplant, "plants", error)
      call check_pack(albedos, ncolumn, 2*nband, "albedos", error)
      call check_pack(cosine_zenith, ncolumn, 1, "cosine_zenith", error)
      call check_pack(results, ncolumn, ntwo_stream, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call unpack_plants(plants, source, plant)
         call unpack_albedos(albedos, source, ground)
         call two_stream(plant, ground, cosine_zenith(source, 1), canopy)
         results(first:last, 1:2) = canopy%albedo_direct(:count, :)
         results(first:last, 3:4) = canopy%albedo_diffuse(:count, :)
         results(first:last, 5:6) = canopy%absorbed_direct(:count, :)
         results(first:last, 7:8) = canopy%absorbed_diffuse(:count, :)
         results(first:last, 9:10) = canopy%sunlit_direct(:count, :)
         results(first:last, 11:12) = canopy%sunlit_diffuse(:count, :)
         results(first:last, 13:14) = canopy%transmitted_direct(:count, :)
         results(first:last, 15:16) = canopy%transmitted_diffuse(:count, :)
         results(first:last, 17) = canopy%beam_transmission(:count)
         results(first:last, 18) = canopy%extinction(:count)
         results(first:last, 19) = canopy%sunlit_area(:count)
      end do
   end subroutine surface_two_stream

   !> Shortwave absorbed by patches, from total shortwave.
   subroutine surface_radiation(plants, albedos, weather, results, ierr, errmsg)
      real(rk), intent(in) :: plants(:, :)      !! as in surface_two_stream
      real(rk), intent(in) :: albedos(:, :)     !! of the ground: direct vis, nir, diffuse vis, nir [1]
      real(rk), intent(in) :: weather(:, :)     !! as in surface_weather
      real(rk), intent(inout) :: results(:, :)  !! members of radiation_chunk_type in their order
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(plant_chunk_type) :: plant
      type(ground_chunk_type) :: ground
      type(weather_chunk_type) :: air
      type(radiation_chunk_type) :: radiation
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(plants, 1)
      call check_pack(plants, ncolumn, nplant, "plants", error)
      call check_pack(albedos, ncolumn, 2*nband, "albedos", error)
      call check_pack(weather, ncolumn, nweather, "weather", error)
      call check_pack(results, ncolumn, nradiation, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call unpack_plants(plants, source, plant)
         call unpack_albedos(albedos, source, ground)
         call unpack_weather(weather, source, air)
         call patch_radiation(air, plant, ground, radiation)
         results(first:last, 1) = radiation%canopy_absorbed(:count)
         results(first:last, 2) = radiation%ground_absorbed(:count)
         results(first:last, 3) = radiation%reflected(:count)
         results(first:last, 4) = radiation%sunlit_leaf_area(:count)
         results(first:last, 5) = radiation%shaded_leaf_area(:count)
         results(first:last, 6) = radiation%sunlit_par(:count)
         results(first:last, 7) = radiation%shaded_par(:count)
         results(first:last, 8) = radiation%extinction(:count)
         results(first:last, 9) = radiation%canopy_emissivity(:count)
      end do
   end subroutine surface_radiation

   !> Derived weather.
   subroutine surface_weather(weather, results, ierr, errmsg)
      real(rk), intent(in) :: weather(:, :)     !! air temperature, specific humidity, air pressure, shortwave,
                                                !! cosine of the zenith angle, reference height
      real(rk), intent(inout) :: results(:, :)  !! density, vapour pressure, potential temperature, shortwave
                                                !! direct vis, nir, diffuse vis, nir
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(weather_chunk_type) :: air
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(weather, 1)
      call check_pack(weather, ncolumn, nweather, "weather", error)
      call check_pack(results, ncolumn, nderived, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call unpack_weather(weather, source, air)
         results(first:last, 1) = air%air_density(:count)
         results(first:last, 2) = air%vapour_pressure(:count)
         results(first:last, 3) = air%potential_temperature(:count)
         results(first:last, 4:5) = air%shortwave_direct(:count, :)
         results(first:last, 6:7) = air%shortwave_diffuse(:count, :)
      end do
   end subroutine surface_weather

   !> Albedo of soil.
   subroutine surface_albedo(colour, water, results, ierr, errmsg)
      real(rk), intent(in) :: colour(:, :)      !! albedo dry vis, nir, saturated vis, nir [1]
      real(rk), intent(in) :: water(:, :)       !! of the top layer, (ncolumn, 1) [m3 m-3]
      real(rk), intent(inout) :: results(:, :)  !! albedo direct vis, nir, diffuse vis, nir [1]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(ground_chunk_type) :: ground
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(colour, 1)
      call check_pack(colour, ncolumn, 2*nband, "colour", error)
      call check_pack(water, ncolumn, 1, "water", error)
      call check_pack(results, ncolumn, 2*nband, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call ground_albedo(colour(source, 1:nband), colour(source, nband + 1:2*nband), water(source, 1), ground)
         results(first:last, 1:nband) = ground%albedo_direct(:count, :)
         results(first:last, nband + 1:2*nband) = ground%albedo_diffuse(:count, :)
      end do
   end subroutine surface_albedo

   !> Interception of rain.
   subroutine surface_intercept(dt, inputs, canopy_water, results, ierr, errmsg)
      real(rk), intent(in) :: dt                    !! time step [s]
      real(rk), intent(in) :: inputs(:, :)          !! leaf area, stem area [m2 m-2], rainfall [kg m-2 s-1]
      real(rk), intent(inout) :: canopy_water(:, :) !! (ncolumn, 1) [kg m-2]
      real(rk), intent(inout) :: results(:, :)      !! throughfall [kg m-2 s-1], wet fraction, dry fraction [1]
      integer, intent(out) :: ierr                  !! 0 or an error code
      character(len=512), intent(out) :: errmsg     !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(plant_chunk_type) :: plant
      real(rk) :: store(chunk_width), throughfall(chunk_width), wet(chunk_width), dry(chunk_width)
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(inputs, 1)
      call check_pack(inputs, ncolumn, 3, "inputs", error)
      call check_pack(canopy_water, ncolumn, 1, "canopy_water", error)
      call check_pack(results, ncolumn, 3, "results", error)
      call check_step(dt, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         plant%leaf_area = inputs(source, 1)
         plant%stem_area = inputs(source, 2)
         store = canopy_water(source, 1)
         call intercept(dt, plant, inputs(source, 3), store, throughfall, wet, dry)
         canopy_water(first:last, 1) = store(:count)
         results(first:last, 1) = throughfall(:count)
         results(first:last, 2) = wet(:count)
         results(first:last, 3) = dry(:count)
      end do
   end subroutine surface_intercept

   !> Thermal properties of soil layers with bedrock below.
   subroutine surface_soil_thermal(sand, clay, organic, porosity, water, ice, conductivity, heat_capacity, ierr, errmsg)
      real(rk), intent(in) :: sand(:, :)             !! (ncolumn, nlayer) [%]
      real(rk), intent(in) :: clay(:, :)             !! [%]
      real(rk), intent(in) :: organic(:, :)          !! [1]
      real(rk), intent(in) :: porosity(:, :)         !! [m3 m-3]
      real(rk), intent(in) :: water(:, :)            !! liquid [m3 m-3]
      real(rk), intent(in) :: ice(:, :)              !! as volume of liquid water [m3 m-3]
      real(rk), intent(inout) :: conductivity(:, :)  !! (ncolumn, nthermal) [W m-1 K-1]
      real(rk), intent(inout) :: heat_capacity(:, :) !! (ncolumn, nthermal) [J m-3 K-1]
      integer, intent(out) :: ierr                   !! 0 or an error code
      character(len=512), intent(out) :: errmsg      !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(soil_thermal_type) :: soil
      real(rk) :: chunk_conductivity(chunk_width, size(conductivity, 2))
      real(rk) :: chunk_capacity(chunk_width, size(conductivity, 2))
      integer :: source(chunk_width), chunk, ncolumn, nlayer, nthermal, first, last, count
      ncolumn = size(porosity, 1)
      nlayer = size(porosity, 2)
      nthermal = size(conductivity, 2)
      call check_pack(porosity, ncolumn, nlayer, "porosity", error)
      call check_pack(sand, ncolumn, nlayer, "sand", error)
      call check_pack(clay, ncolumn, nlayer, "clay", error)
      call check_pack(organic, ncolumn, nlayer, "organic", error)
      call check_pack(water, ncolumn, nlayer, "water", error)
      call check_pack(ice, ncolumn, nlayer, "ice", error)
      call check_pack(conductivity, ncolumn, max(nlayer, nthermal), "conductivity", error)
      call check_pack(heat_capacity, ncolumn, nthermal, "heat_capacity", error)
      if (.not. allocated(error)) call fill_soil_thermal(sand, clay, organic, porosity, soil, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call soil_thermal_properties(nlayer, nthermal, soil%dry_conductivity(source, :), &
                                      soil%saturated_conductivity(source, :), soil%dry_heat_capacity(source, :), &
                                      porosity(source, :), water(source, :), ice(source, :), chunk_conductivity, &
                                      chunk_capacity)
         chunk_capacity(:, :nlayer) = chunk_capacity(:, :nlayer) &
            + density_water*(heat_capacity_water*water(source, :) + heat_capacity_ice*ice(source, :))
         conductivity(first:last, :) = chunk_conductivity(:count, :)
         heat_capacity(first:last, :) = chunk_capacity(:count, :)
      end do
   end subroutine surface_soil_thermal

   !> One step of heat and phase change in rows of snow, soil and bedrock (pl_ground_heat).
   subroutine surface_ground_heat(dt, nsnow, rows, curve, surfaces, temperature, liquid, results, ierr, errmsg)
      real(rk), intent(in) :: dt                   !! time step [s]
      integer, intent(in) :: nsnow                 !! rows of snow at the top [1]
      real(rk), intent(in) :: rows(:, :)           !! (ncolumn, 4 nrow): dry capacity, water, conductance, source of each row
      real(rk), intent(in) :: curve(:, :)          !! (ncolumn, 3 nlayer): film, scale, power of each soil row with water
      real(rk), intent(in) :: surfaces(:, :)       !! top row; flux, slope and start of the snow, then of the soil surface
      real(rk), intent(inout) :: temperature(:, :) !! (ncolumn, nrow) [K]
      real(rk), intent(inout) :: liquid(:, :)      !! (ncolumn, nrow) [kg m-2]
      real(rk), intent(inout) :: results(:, :)     !! mean changes of snow and soil surface [K], heat
                                                   !! gained by snow and by soil [J m-2], iterations [1]
      integer, intent(out) :: ierr                 !! 0 or an error code
      character(len=512), intent(out) :: errmsg    !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(exchange_type) :: snow, soil
      real(rk), dimension(chunk_width, size(temperature, 2)) :: chunk_temperature, chunk_liquid
      real(rk) :: snow_heat(chunk_width), soil_heat(chunk_width)
      integer :: source(chunk_width), top(chunk_width), iterations(chunk_width)
      integer :: chunk, ncolumn, nrow, nlayer, first, last, count
      ncolumn = size(temperature, 1)
      nrow = size(temperature, 2)
      nlayer = size(curve, 2)/3
      call check_pack(temperature, ncolumn, nrow, "temperature", error)
      call check_pack(liquid, ncolumn, nrow, "liquid", error)
      call check_pack(rows, ncolumn, 4*nrow, "rows", error)
      call check_pack(curve, ncolumn, 3*nlayer, "curve", error)
      call check_pack(surfaces, ncolumn, 7, "surfaces", error)
      call check_pack(results, ncolumn, 5, "results", error)
      call check_step(dt, error)
      if (.not. allocated(error) .and. (nsnow < 0 .or. nsnow + nlayer > nrow .or. nsnow >= nrow)) then
         call raise_error(error, error_input, "rows of ground heat: snow and soil rows must fit into all rows")
      end if
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         chunk_temperature = temperature(source, :)
         chunk_liquid = liquid(source, :)
         top = nint(surfaces(source, 1))
         snow%flux = surfaces(source, 2)
         snow%slope = surfaces(source, 3)
         snow%start = surfaces(source, 4)
         soil%flux = surfaces(source, 5)
         soil%slope = surfaces(source, 6)
         soil%start = surfaces(source, 7)
         call ground_heat_step(dt, nsnow, nlayer, nrow, top, rows(source, :nrow), rows(source, nrow + 1:2*nrow), &
                               curve(source, :nlayer), curve(source, nlayer + 1:2*nlayer), curve(source, 2*nlayer + 1:), &
                               rows(source, 2*nrow + 1:3*nrow), rows(source, 3*nrow + 1:), snow, soil, chunk_temperature, &
                               chunk_liquid, snow_heat, soil_heat, iterations)
         temperature(first:last, :) = chunk_temperature(:count, :)
         liquid(first:last, :) = chunk_liquid(:count, :)
         results(first:last, 1) = snow%change(:count)
         results(first:last, 2) = soil%change(:count)
         results(first:last, 3) = snow_heat(:count)
         results(first:last, 4) = soil_heat(:count)
         results(first:last, 5) = real(iterations(:count), rk)
      end do
   end subroutine surface_ground_heat

   !> Humidity at the soil surface and the soil's hold on its water.
   subroutine surface_evaporation(scheme, weather, soil, states, results, ierr, errmsg)
      integer, intent(in) :: scheme             !! number of the soil evaporation scheme (pl_land_chunk)
      real(rk), intent(in) :: weather(:, :)     !! specific humidity [kg kg-1], air pressure [Pa]
      real(rk), intent(in) :: soil(:, :)        !! porosity, air-dry water, field capacity, pore-size exponent
      real(rk), intent(in) :: states(:, :)      !! liquid water [m3 m-3], pressure head [m], ground temperature [K], ice [m3 m-3]
      real(rk), intent(inout) :: results(:, :)  !! humidity, slope, resistance, evaporation factor
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(land_options_type) :: options
      type(weather_chunk_type) :: air
      type(soil_surface_type) :: surface
      type(ground_chunk_type) :: ground
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(weather, 1)
      call check_pack(weather, ncolumn, 2, "weather", error)
      call check_pack(soil, ncolumn, nsoil_surface, "soil", error)
      call check_pack(states, ncolumn, 4, "states", error)
      call check_pack(results, ncolumn, nevaporation, "results", error)
      if (.not. allocated(error) .and. scheme /= evaporation_beta .and. scheme /= evaporation_dry_surface_layer) then
         call raise_error(error, error_input, "soil evaporation has no scheme of this number; give 1 or 2")
      end if
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      options%soil_evaporation = scheme
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         air%specific_humidity = weather(source, 1)
         air%air_pressure = weather(source, 2)
         surface%porosity = soil(source, 1)
         surface%air_dry_water = soil(source, 2)
         surface%field_capacity = soil(source, 3)
         surface%tortuosity = vapour_tortuosity(soil(source, 1), soil(source, 2), soil(source, 4))
         ground%soil_temperature = states(source, 3)
         call soil_surface_humidity(options, air, surface, states(source, 1), states(source, 4), states(source, 2), ground)
         results(first:last, 1) = ground%humidity(:count)
         results(first:last, 2) = ground%humidity_slope(:count)
         results(first:last, 3) = ground%resistance(:count)
         results(first:last, 4) = ground%evaporation_factor(:count)
      end do
   end subroutine surface_evaporation

   !> Columns that a chunk reads and those that it writes.
   pure subroutine find_lanes(chunk, ncolumn, source, first, last, count)
      integer, intent(in) :: chunk                !! chunk index, from 1
      integer, intent(in) :: ncolumn              !! number of columns [1]
      integer, intent(out) :: source(chunk_width) !! column of each lane
      integer, intent(out) :: first               !! first column of the chunk
      integer, intent(out) :: last                !! last column of the chunk
      integer, intent(out) :: count               !! valid lanes
      integer :: i
      do i = 1, chunk_width
         source(i) = lane_source(chunk, i, ncolumn)
      end do
      first = (chunk - 1)*chunk_width + 1
      last = min(chunk*chunk_width, ncolumn)
      count = last - first + 1
   end subroutine find_lanes

   !> Record an error, unless there is one already, where a pack has another shape or a value that is no number.
   pure subroutine check_pack(pack, ncolumn, n, name, error)
      real(rk), intent(in) :: pack(:, :) !! argument to check
      integer, intent(in) :: ncolumn     !! columns expected, at least 1 [1]
      integer, intent(in) :: n           !! second extent expected, at least 1 [1]
      character(len=*), intent(in) :: name !! name of the argument
      type(error_type), allocatable, intent(inout) :: error
      character(len=80) :: text
      if (allocated(error)) return
      if (size(pack, 1) /= ncolumn .or. size(pack, 2) /= n .or. ncolumn < 1 .or. n < 1) then
         write (text, "(4(a, i0))") ": expected ", ncolumn, " x ", n, ", got ", size(pack, 1), " x ", size(pack, 2)
         call raise_error(error, error_input, name//trim(text)//" (columns x values); pass one value per column")
      else if (.not. all(ieee_is_finite(pack))) then
         call raise_error(error, error_input, name//" holds a value that is not finite; fill the gaps of the input")
      end if
   end subroutine check_pack

   !> Record an error, unless there is one already, where the time step is not positive.
   pure subroutine check_step(dt, error)
      real(rk), intent(in) :: dt !! time step [s]
      type(error_type), allocatable, intent(inout) :: error
      if (allocated(error)) return
      if (.not. (dt > 0.0_rk .and. ieee_is_finite(dt))) then
         call raise_error(error, error_input, "the time step must be a positive number of seconds")
      end if
   end subroutine check_step

   pure subroutine unpack_plants(plants, source, plant)
      real(rk), intent(in) :: plants(:, :)       !! as in surface_two_stream
      integer, intent(in) :: source(chunk_width) !! column of each lane
      type(plant_chunk_type), intent(out) :: plant
      plant%leaf_area = plants(source, 1)
      plant%stem_area = plants(source, 2)
      plant%leaf_angle = plants(source, 3)
      plant%leaf_reflectance = plants(source, 4:5)
      plant%leaf_transmittance = plants(source, 6:7)
      plant%stem_reflectance = plants(source, 8:9)
      plant%stem_transmittance = plants(source, 10:11)
      plant%snow_share = plants(source, 12)
   end subroutine unpack_plants

   pure subroutine unpack_albedos(albedos, source, ground)
      real(rk), intent(in) :: albedos(:, :)      !! direct vis, nir, diffuse vis, nir [1]
      integer, intent(in) :: source(chunk_width) !! column of each lane
      type(ground_chunk_type), intent(out) :: ground
      ground%temperature = freezing_point
      ground%humidity = 0.0_rk
      call bare_of_snow(ground)
      ground%albedo_direct(:, visible) = albedos(source, 1)
      ground%albedo_direct(:, near_infrared) = albedos(source, 2)
      ground%albedo_diffuse(:, visible) = albedos(source, 3)
      ground%albedo_diffuse(:, near_infrared) = albedos(source, 4)
   end subroutine unpack_albedos

   pure subroutine unpack_weather(weather, source, air)
      real(rk), intent(in) :: weather(:, :)      !! as in surface_weather
      integer, intent(in) :: source(chunk_width) !! column of each lane
      type(weather_chunk_type), intent(out) :: air
      air%air_temperature = weather(source, 1)
      air%specific_humidity = weather(source, 2)
      air%air_pressure = weather(source, 3)
      air%shortwave_down = weather(source, 4)
      air%cosine_zenith = weather(source, 5)
      air%reference_height = weather(source, 6)
      call derive_weather(air)
   end subroutine unpack_weather

end module pl_api_land_surface
