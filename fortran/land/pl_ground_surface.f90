!> The ground as canopy and air see it: soil and the snow on a part of it.
module pl_ground_surface
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: ground_chunk_type, land_options_type, nband, weather_chunk_type
   use pl_moist_air, only: saturation_humidity_ice
   use pl_snow_chunk, only: snow_chunk_type
   implicit none (type, external)
   private
   public :: bare_of_snow, cover_with_snow

contains

   !> Ground without snow: the soil's temperature and albedo are those of the ground.
   pure subroutine bare_of_snow(ground)
      type(ground_chunk_type), intent(inout) :: ground !! with `temperature` and the soil's other members
      ground%soil_temperature = ground%temperature
      ground%fourth_power = ground%temperature**4
      ground%snow_cover = 0.0_rk
      ground%snow_temperature = ground%temperature
      ground%snow_albedo_direct = 0.0_rk
      ground%snow_albedo_diffuse = 0.0_rk
      ground%snow_humidity = ground%humidity
      ground%snow_humidity_slope = 0.0_rk
   end subroutine bare_of_snow

   !> Add the snow to a ground whose soil members are set; its albedos are in `snow_albedo_*`.
   pure subroutine cover_with_snow(options, weather, snow, ground)
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(snow_chunk_type), intent(in) :: snow
      type(ground_chunk_type), intent(inout) :: ground
      real(rk) :: cover
      integer :: band, i, k
      ground%snow_cover = snow%cover
      ground%snow_temperature = ground%soil_temperature
      do k = 1, snow%nsnow
         do i = 1, w
            ground%snow_temperature(i) = merge(snow%temperature(i, k), ground%snow_temperature(i), k == snow%top(i))
         end do
      end do
      do i = 1, w
         cover = snow%cover(i)
         call saturation_humidity_ice(ground%snow_temperature(i), weather%air_pressure(i), ground%snow_humidity(i), &
                                      ground%snow_humidity_slope(i))
         ground%temperature(i) = ground%soil_temperature(i) &
                                 + cover*(ground%snow_temperature(i) - ground%soil_temperature(i))
         ground%fourth_power(i) = (1.0_rk - cover)*ground%soil_temperature(i)**4 + cover*ground%snow_temperature(i)**4
         ground%emissivity(i) = options%soil_emissivity + cover*(options%snow_emissivity - options%soil_emissivity)
         ! a lane without snow keeps its bits, whether or not another lane of the chunk has snow
         ground%roughness(i) = merge(exp((1.0_rk - cover)*log(options%soil_roughness) + cover*log(options%snow_roughness)), &
                                     options%soil_roughness, cover > 0.0_rk)
      end do
      do band = 1, nband
         do i = 1, w
            cover = snow%cover(i)
            ground%albedo_direct(i, band) = ground%albedo_direct(i, band) &
               + cover*(ground%snow_albedo_direct(i, band) - ground%albedo_direct(i, band))
            ground%albedo_diffuse(i, band) = ground%albedo_diffuse(i, band) &
               + cover*(ground%snow_albedo_diffuse(i, band) - ground%albedo_diffuse(i, band))
         end do
      end do
   end subroutine cover_with_snow

end module pl_ground_surface
